"""The API alone, served exactly as `manage.py up` serves it: the jobs it accepts wait for a worker that never comes."""

import os

from pirunner.up import mains
from pirunner.up.lifeline import die_with

if __name__ == "__main__":
    die_with(os.getppid())
    mains.api()
