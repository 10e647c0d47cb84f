"""What is true of the servers, and the programs that ask.

    spec      what is asked of a server: the table of the stages, and a check for each question
    grader    make check: asks a reader's server, tells what it lacks, and gives hints
    bench     make bench: how fast the servers are
    apps      the applications that servers are asked with
    helpers   what tests share: a browser, short programs, a client that reads answers strictly
    wrong     servers that are wrong in one way each, or right in another language
    part1, part2, part3, notebooks, see, stages, tools: the tests

Tests, grader and bench use spec, spec uses lab, and none of them the other way round.
"""
