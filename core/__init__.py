"""The contract: files, clock, face, sound, video, commands. Imported by every stage, imports none of them."""

from core.errors import say_stopped_in_a_line
from core.renamed import serve_former_modules

serve_former_modules()
say_stopped_in_a_line()
