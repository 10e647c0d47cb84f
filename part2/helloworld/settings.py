"""What Django needs to say hello, and no more."""

import os
import secrets

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)  # new at each start
ALLOWED_HOSTS = ["*"]  # no page or mail of ours repeats the name it was asked by
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # adds Content-Length
ROOT_URLCONF = "helloworld.urls"
