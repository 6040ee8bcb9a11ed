"""`python -m landmarks.emotion`: the command of `landmarks.emotion.recognise`."""

from landmarks.emotion.recognise import main

main()
