"""Faces, pictures and sounds that tests share, made of numbers."""

import json

import numpy as np
from PIL import Image

from core.clock import FPS, SAMPLES_PER_FRAME
from core.face import face68
from render import photo_check

JAW = np.array([[-1.3 * np.cos(t), 0.2 + 1.3 * np.sin(t)] for t in np.linspace(0, np.pi, 17)])


def save(path, picture):
    Image.fromarray(picture).save(path)
    return path


def write(path, **data):
    path.write_text(json.dumps(data))
    return path


def turned_to(points, degrees):
    """The points of a frontal face as a head turned by `degrees` shows them: depth grows from the jaw to the nose."""
    face, pose = face68.to_face_space(points[None])
    depth = np.zeros(face68.N_POINTS)
    depth[list(face68.GROUPS["nose_bridge"])] = np.linspace(0, photo_check.NOSE_DEPTH, 4)
    face[0, :, 0] -= face[0, list(face68.GROUPS["nose_bridge"]), 0].mean()
    turn = np.radians(degrees)
    face[0, :, 0] = face[0, :, 0] * np.cos(turn) + depth * np.sin(turn)
    return face68.to_pixel_space(face, pose[0])[0]


def babble(seconds, seed=0):
    """Syllables and pauses: noise through a slow envelope, with the envelope at each frame."""
    rng = np.random.default_rng(seed)
    n_frames = round(seconds * FPS)
    envelope = np.clip(np.convolve(rng.normal(0, 1, n_frames), np.ones(4) / 2, "same"), 0, 1.5)
    sound = rng.normal(0, 0.1, n_frames * SAMPLES_PER_FRAME) * np.repeat(envelope, SAMPLES_PER_FRAME)
    return sound.astype(np.float32), envelope


def resting_face():
    """A plain face in face space, mouth closed."""
    face = np.zeros((face68.N_POINTS, 2), np.float32)
    around = np.linspace(0, np.pi, 17)
    face[face68.GROUPS["jaw"]] = np.stack([-1.2 * np.cos(around), 2 * np.sin(around)], 1)
    for side, x in (("right_eye", -0.5), ("left_eye", 0.5)):
        angle = np.pi + np.arange(6) * np.pi / 3
        face[face68.GROUPS[side]] = np.stack([x + 0.2 * np.cos(angle), 0.08 * np.sin(angle)], 1)
    for side, x in (("right_brow", -0.5), ("left_brow", 0.5)):
        face[face68.GROUPS[side]] = np.stack([x + np.linspace(-0.3, 0.3, 5), np.full(5, -0.35)], 1)
    face[face68.GROUPS["nose_bridge"], 1] = np.linspace(0, 0.6, 4)
    face[face68.GROUPS["nose_base"]] = np.stack([np.linspace(-0.2, 0.2, 5), np.full(5, 0.7)], 1)
    for lips, n, size in (("outer_lips", 12, 0.45), ("inner_lips", 8, 0.35)):
        angle = np.pi + np.arange(n) * 2 * np.pi / n
        face[face68.GROUPS[lips]] = np.stack([size * np.cos(angle), 1.2 + 0.02 * np.sin(angle)], 1)
    return face


def drawn_face():
    """A face at rest, drawn: float32 [68, 2], face space."""
    face = np.zeros((68, 2), np.float32)
    face[list(face68.GROUPS["jaw"])] = JAW

    def arc(name, x, y, sag):
        points = list(face68.GROUPS[name])
        face[points, 0] = x + np.linspace(-0.4, 0.4, len(points))
        face[points, 1] = y - sag * np.cos(np.linspace(-1.5, 1.5, len(points)))

    def ring(name, x, y, width, height):
        points = list(face68.GROUPS[name])
        turn = np.pi + 2 * np.pi * np.arange(len(points)) / len(points)
        face[points] = np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], 1)

    arc("right_brow", -0.5, -0.25, 0.1), arc("left_brow", 0.5, -0.25, 0.1), arc("nose_base", 0, 0.7, -0.05)
    face[list(face68.GROUPS["nose_bridge"]), 1] = np.linspace(0, 0.5, 4)
    ring("right_eye", -0.5, 0, 0.25, 0.1), ring("left_eye", 0.5, 0, 0.25, 0.1)
    ring("outer_lips", 0, 1, 0.4, 0.15), ring("inner_lips", 0, 1, 0.3, 0.002)
    return face
