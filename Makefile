APP = part2.wsgiapp:app
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$python && break; done)
export PYTHONPATH = $(CURDIR)/notebooks
MAKEFLAGS += --no-print-directory
export PYTHONDONTWRITEBYTECODE = 1
unexport PYTHONUNBUFFERED
export MPLCONFIGDIR = $(CURDIR)/.venv/matplotlib
export PYTEST_DEBUG_TEMPROOT = $(CURDIR)/.venv

# LANG is a variable of every shell: only one that is given to make names a language.
ifeq ($(origin LANG),command line)
unexport LANG
LANGUAGE = $(LANG)
endif
# The last line of what fails is ours, not one of make's: only JSON=1 ends with a status.
GRADER = .venv/bin/python -m tests.grader --stage "$(STAGE)" --lang "$(LANGUAGE)" --server "$$SERVER"

help:  ## list the targets, as make alone does
	@sed -n 's/^\([a-z0-9-]*\):.*##  */\1 /p' Makefile | while read -r target words; do printf '  make %-12s %s\n' "$$target" "$$words"; done

serve: STAGE ?= 3z
serve: .venv/installed  ## run a stage: STAGE=3z unless you say, with APP=part2.wsgiapp:app
	@if [ -f part?/webserver$(STAGE).py ]; then \
		exec .venv/bin/python part?/webserver$(STAGE).py $(APP); \
	else \
		echo "There is no stage $(STAGE). There are: $$(ls part?/webserver*.py | sed 's/.*webserver//; s/.py//' | xargs)." >&2; \
		exit 2; \
	fi

nginx:  ## put nginx in front of make serve: http://localhost:8080 and https://localhost:8443
	@for program in nginx openssl; do command -v $$program >/dev/null || { \
		echo "$$program is needed, and not on PATH. Debian and Ubuntu: apt install nginx-light openssl; macOS: brew install nginx" >&2; exit 2; }; done; \
	mkdir -p .venv/nginx && cp part3/nginx.conf .venv/nginx; \
	test -f .venv/nginx/certificate.pem || openssl req -x509 -newkey rsa:2048 -nodes -days 365 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout .venv/nginx/key.pem -out .venv/nginx/certificate.pem 2>/dev/null; \
	if [ "$$(id -u)" = 0 ]; then user="user root;"; fi; \
	echo "nginx: http://localhost:8080 and https://localhost:8443, for what make serve runs. Ctrl-C ends it."; \
	exec nginx -p $(CURDIR)/.venv/nginx/ -c nginx.conf -e stderr -g "daemon off; pid nginx.pid; $$user"

lab: .venv/installed  ## open your own copies of the chapters in JupyterLab: start here
	@if [ "$$(id -u)" = 0 ]; then root=--allow-root; fi; \
	if [ "$$(uname)" != Darwin ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then screen=--no-browser; fi; \
	.venv/bin/python -m lab.copies && \
	exec .venv/bin/jupyter lab --notebook-dir=my --port=8889 --log-level=ERROR \
		--LabApp.default_url=/lab/tree/1_hello.ipynb \
		--LabApp.app_settings_dir=$(CURDIR)/notebooks/lab/jupyterlab $$root $$screen

see: .venv/installed  ## watch a server live in a browser: STAGE=3d, or SERVER='node my/server.js'
	@exec .venv/bin/python -m see --stage "$(STAGE)" --server "$$SERVER" --beside "$(BESIDE)" --delay "$(DELAY)" --app "$(APP)" $(if $(LIMITS),--limits)

notebooks: .venv/installed  ## run all notebooks, and keep what they show
	.venv/bin/python -m lab.book

start: .venv/installed  ## begin a server of your own in my/, for one stage: STAGE=3c, LANG=c
	@$(GRADER) start $(if $(OURS),--ours) || true

check: .venv/installed  ## see what it does and lacks: STAGE=3c, SERVER='node my/server.js', ONLY=stops, ALL=1, JSON=1
	@$(GRADER) check --only "$(ONLY)" $(if $(ALL),--all) $(if $(JSON),--json,|| true)

hint: .venv/installed  ## get the next hint on what was missing at the last check
	@$(GRADER) hint || true

watch: .venv/installed  ## check again whenever you save, with STAGE and SERVER as in check
	@$(GRADER) watch || true

list: .venv/installed  ## list all stages: those that you have passed, and where you are
	@$(GRADER) list || true

solution: .venv/installed  ## compare your server with ours: STAGE=3c
	@$(GRADER) solution || true

# A thorough test asks of many what others ask of a few, such as of the stages between the first and
# the last of a track; or it besets a server, or tries a tool of the course to its end.
ASKED = $(if $(ALL),,-m "not thorough")
AND_ASKED = $(if $(ALL),, and not thorough)

test: .venv/installed  ## run the tests: some five minutes; ALL=1 asks every stage everything
	.venv/bin/pytest $(ASKED)

test-again: .venv/installed  ## run those tests again, one after the other, that failed the last time
	.venv/bin/pytest --last-failed --lfnf=none --numprocesses=0

test-part1: .venv/installed  ## run the tests of part 1: a server that says hello
	.venv/bin/pytest -m "part1$(AND_ASKED)"

test-part2: .venv/installed  ## run the tests of part 2: one server, any framework
	.venv/bin/pytest -m "part2$(AND_ASKED)"

test-part3: .venv/installed  ## run the tests of part 3: more than one client at a time
	.venv/bin/pytest -m "part3$(AND_ASKED)"

test-notebooks: .venv/installed  ## run the notebooks and the tests of their instruments
	.venv/bin/pytest -m "notebooks$(AND_ASKED)"

bench: .venv/installed  ## measure servers side by side: some ten minutes; or one: ONLY=3z
	.venv/bin/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(FRESH),--fresh)

lint: .venv/installed  ## check the style of the code
	.venv/bin/ruff check --no-cache

clean:  ## remove what make has made
	rm -rf .venv
	find . -name __pycache__ -prune -exec rm -rf {} +

pins:  ## resolve what the direct requirements need, for every Python at once (needs uv)
	@command -v uv >/dev/null || { echo "uv is needed, and not on PATH: https://docs.astral.sh/uv" >&2; exit 2; }
	@sed '/^# What these need/q' requirements.txt >.venv/direct.txt
	@sed 's/ *#.*//' .venv/direct.txt | grep . >.venv/named.txt
	@uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate .venv/direct.txt >.venv/all.txt
	@{ cat .venv/direct.txt; grep -vxFf .venv/named.txt .venv/all.txt; } >.venv/new.txt && mv .venv/new.txt requirements.txt

# The environment is made again only when the text of requirements.txt has changed, or for another
# Python that was asked for by name. .venv/installed is a copy of that text, written last. The lock
# lets two makes at once wait for each other.
NAMED = $(filter command% environment%,$(origin PYTHON))
.venv/installed: requirements.txt $(if $(NAMED),named)
	@test "$(PYTHON)" || { echo "Python 3.10 or newer is needed, and not on PATH. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 2; }
	@exec 9<requirements.txt; \
	$(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'; \
	version='import sys; print(sys.version)'; \
	if cmp -s requirements.txt .venv/installed && { test -z "$(NAMED)" || \
		test "$$($(PYTHON) -c "$$version")" = "$$(.venv/bin/python -c "$$version")"; }; \
	then touch .venv/installed; exit; fi; \
	echo "Making .venv and installing requirements.txt. This takes a minute or two, once."; \
	rm -rf .venv; \
	if command -v uv >/dev/null; then \
		uv venv --quiet --python $(PYTHON) .venv && uv pip install --quiet --compile-bytecode --python .venv/bin/python -r requirements.txt; \
	else \
		$(PYTHON) -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt; \
	fi && cp requirements.txt .venv/installed || { \
		echo "Installing did not work: see above. It needs the network, this once; then try again." >&2; exit 1; }

named: ;

.PHONY: help serve nginx lab see notebooks start check hint watch list solution test test-again test-part1 test-part2 test-part3 test-notebooks bench lint clean pins
.PHONY: named
