"""Paths of the shipped models and samples: the only place that holds them.

Reads, writes: nothing. `make publish` puts a model that was trained here in the place of the one that shipped.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CNN_RECORD, GAN_RECORD = ROOT / "CNN_record", ROOT / "GAN_record"
LANDMARK_MODEL = CNN_RECORD / "default" / "model.tflite"
FFT_LANDMARK_MODEL = CNN_RECORD / "fft" / "model.tflite"
HEAD_MODEL = CNN_RECORD / "head" / "model.tflite"
BEAT_MODEL = CNN_RECORD / "beat" / "model.npz"
SYNC_MODEL = CNN_RECORD / "sync" / "model.tflite"
EMOTION_MODEL = CNN_RECORD / "emotion" / "model.npz"
EMPHASIS_MODEL = CNN_RECORD / "emphasis" / "model.npz"
VOICE_MODEL = CNN_RECORD / "voice" / "model.npz"
OFFSET_MODEL = CNN_RECORD / "offsets" / "model.npz"
DCGAN_MODEL = GAN_RECORD / "default" / "model.safetensors"
MOUTH_MODEL = GAN_RECORD / "mouth" / "model.safetensors"
LARGE_MOUTH_MODEL = GAN_RECORD / "large_mouth" / "model.safetensors"
EYES_MODEL = GAN_RECORD / "eyes" / "model.safetensors"
AVATAR_MODEL = GAN_RECORD / "avatar" / "model.safetensors"
OTHER_FACES = GAN_RECORD / "avatar" / "faces.png"
IDENTITY_MODEL = GAN_RECORD / "identity" / "model.safetensors"
# By the name that `make publish MODEL=NAME` knows
MODELS = {"landmark": LANDMARK_MODEL, "landmark-fft": FFT_LANDMARK_MODEL, "head": HEAD_MODEL, "beat": BEAT_MODEL,
          "sync": SYNC_MODEL,
          "emotion": EMOTION_MODEL, "emphasis": EMPHASIS_MODEL, "voice": VOICE_MODEL, "offsets": OFFSET_MODEL,
          "dcgan": DCGAN_MODEL, "mouth": MOUTH_MODEL, "large_mouth": LARGE_MOUTH_MODEL, "eyes": EYES_MODEL,
          "avatar": AVATAR_MODEL, "faces": OTHER_FACES, "identity": IDENTITY_MODEL}
SHIPPED = tuple(MODELS.values())
HASHES = ROOT / "weights.sha256"  # of all that ship; `sha256sum -c` reads it, too
SAMPLE_SPEECH = ROOT / "data" / "samples" / "speech.wav"
