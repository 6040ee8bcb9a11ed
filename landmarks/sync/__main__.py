"""`python -m landmarks.sync`: the command of `landmarks.sync.judge`."""

from landmarks.sync.judge import main

main()
