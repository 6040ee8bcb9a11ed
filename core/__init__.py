"""The contract: files, clock, face, sound, video, commands. Imported by every stage, imports none of them."""

from core.renamed import serve_former_modules

serve_former_modules()
