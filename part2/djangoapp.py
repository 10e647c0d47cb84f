"""A Django application. Its `app` is a WSGI application: any WSGI server can call it."""

import os
import sys

from django.core.wsgi import get_wsgi_application

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # where helloworld/ is
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helloworld.settings")

app = get_wsgi_application()
