"""Refuse installs that would lose the models: only an editable install of the whole folder works."""

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel

CURE = "talking-face: without its folder it would have no models; try: git clone it, then make setup, or pip install -e ."


class WithItsFolder(bdist_wheel):
    """Refuse a wheel: it would install, and fail at the first photo."""

    def run(self):
        raise SystemExit(CURE)


setup(cmdclass={"bdist_wheel": WithItsFolder})
