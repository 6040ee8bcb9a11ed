"""Changed sounds are changed as they say and stay in time; timing, jitter and long speech are measured right."""

import json

import h5py
import numpy as np
import pytest
from conftest import command, describe
from made_up import babble, resting_face

from core import paths
from core.clock import FPS, SAMPLE_RATE
from core.face import face68
from core.media.audio import HOP, HOPS_PER_FRAME, read_speech, spectrum_of, write_wav
from core.metrics import lag_of
from landmarks import dataset, distort, robustness, steadiness
from landmarks.features import mel_power
from landmarks.timing import lip_gains, timing

T = np.arange(SAMPLE_RATE) / SAMPLE_RATE


def tone(hz):
    return np.sin(2 * np.pi * hz * T).astype(np.float32)


def loudest_hz(sound):
    return np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * SAMPLE_RATE / len(sound)


def rms(sound):
    return float(np.sqrt(np.mean(np.square(sound))))


@pytest.fixture(scope="module")
def sentence():
    """The same to the bit each time, as what eSpeak NG says is not."""
    return read_speech(paths.SAMPLE_SPEECH)[:2 * SAMPLE_RATE]


def test_every_change_keeps_length_and_time(sentence):
    others = [babble(1.5, seed)[0] for seed in range(3)]
    loudness = np.abs(sentence).reshape(-1, HOP).mean(1)
    for name, change in distort.distortions(others).items():
        changed = change(sentence)
        assert len(changed) == len(sentence) and np.isfinite(changed).all(), name
        late_hops = lag_of(np.abs(changed).reshape(-1, HOP).mean(1), loudness, 20)
        assert abs(late_hops) < (4 if "room" in name else 1.5), f"{name}: {late_hops} hops late"


def test_changes_are_what_they_say():
    assert np.abs(distort.scale_to_peak(tone(200), -20)).max() == pytest.approx(0.1, rel=1e-3)
    assert rms(distort.limit_bandwidth(tone(6000), 8000)) < 0.01 < 0.6 < rms(distort.limit_bandwidth(tone(1000), 8000))
    assert rms(distort.telephone_band(tone(80))) < 0.05 < 0.6 < rms(distort.telephone_band(tone(1000)))
    noisy = distort.add_noise(tone(200), np.random.default_rng(0).normal(size=5000), 10)
    assert rms(noisy - tone(200)) == pytest.approx(rms(tone(200)) / 10**0.5, rel=1e-3)
    assert loudest_hz(distort.shift_pitch(tone(400), 12)) == pytest.approx(800, abs=5)


def test_a_room_decays_by_60_db_in_its_time():
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[0] = 1
    heard = distort.add_reverberation(click, np.random.default_rng(0))
    early, late = rms(heard[100:900]), rms(heard[4100:4900])
    assert 20 * np.log10(early / late) == pytest.approx(60 * 4000 / (distort.REVERB_S * SAMPLE_RATE), abs=2)
    assert heard[0] > 0.9


def test_formants_move_and_pitch_stays():
    sound = steadiness.vowel((700, 1200, 2500), 125)
    moved = distort.shift_formants(sound, 1.25)
    for of, formant_hz in ((sound, 700), (moved, 875)):
        level = np.abs(np.fft.rfft(of * np.hanning(len(of))))
        hz = np.arange(len(level)) * SAMPLE_RATE / len(of)
        harmonics = np.array([level[np.abs(hz - 125 * n) < 10].max() for n in range(2, 9)])
        between = np.array([level[np.abs(hz - 125 * (n + 0.5)) < 10].max() for n in range(2, 9)])
        assert (harmonics > 5 * between).all(), "the pitch is 125 Hz"
        assert abs(125 * (2 + harmonics.argmax()) - formant_hz) <= 125


def test_lag_is_found_between_frames_and_a_constant_has_none():
    t = np.arange(100)
    signal = np.sin(t / 4) + np.sin(t / 7.3)
    later = np.sin((t - 2.4) / 4) + np.sin((t - 2.4) / 7.3)
    assert lag_of(later, signal) == pytest.approx(2.4, abs=0.1) and lag_of(signal, later) == pytest.approx(-2.4, abs=0.1)
    assert np.isnan(lag_of(np.ones(100), signal)) and np.isnan(lag_of(signal[:20], signal[:20]))


class Spoken:
    """A clip as landmarks.dataset loads it."""

    def __init__(self, n_frames, source="here"):
        self.face, self.source = np.repeat(resting_face()[None], n_frames, 0), source
        opening = np.clip(np.convolve(np.random.default_rng(n_frames).normal(size=n_frames), np.ones(4) / 4, "same"), 0, 1)
        self.face[:, face68.GROUPS["inner_lips"][5:], 1] += opening[:, None]
        power = mel_power(spectrum_of(babble(n_frames / FPS)[0]))
        self.power = power[:n_frames]


def test_timing_counts_long_clips_and_those_in_time():
    clips = [Spoken(75), Spoken(80), Spoken(40, "elsewhere")]
    late = {75: 0, 80: 3}
    found = timing(clips, lambda clip: np.roll(clip.face, late[len(clip.face)], axis=0))
    assert found["here"]["clips"] == found["all clips"]["clips"] == 2 and "elsewhere" not in found
    assert found["here"]["within_frame"] == 0.5
    still = timing(clips[:1], lambda clip: np.repeat(clip.face[:1], len(clip.face), 0))
    assert still["here"]["within_frame"] == still["here"]["judged_predicted"] == 0, "a still mouth is never in time"


def test_recordings_out_of_time_are_left_out_of_the_measures_of_those_in_time(monkeypatch):
    from types import SimpleNamespace
    clips, late = [Spoken(75), Spoken(80)], {75: 0, 80: 3}
    monkeypatch.setattr("landmarks.timing.judge_power",
                        lambda judge, power, face: SimpleNamespace(offset_ms=40.0 * late[len(face)]))
    found = timing(clips, lambda clip: np.roll(clip.face, late[len(clip.face)], axis=0))["here"]
    assert found["judged_measured"] == found["within_frame"] == 0.5
    assert found["in_time_within_frame"] == 1 and found["in_time_correlation"] == pytest.approx(1)


def test_lip_gain_is_a_share_of_the_mean_faces_error():
    table = {"here": {"model": {"lip_drift": 0.03}, "mean_face": {"lip_drift": 0.04}}}
    assert lip_gains(table)["here"] == pytest.approx(0.25)


def test_jitter_of_a_trembling_mouth_and_where_it_is_steady():
    face = np.repeat(resting_face()[None], 60, 0)
    assert steadiness.jitters(face)["opening"] == steadiness.jitters(face)["lips"] == 0
    low = face68.GROUPS["inner_lips"][5:]
    face[:, low, 1] += 0.005 * (-1.0) ** np.arange(60)[:, None]
    assert steadiness.jitters(face)["opening"] == pytest.approx(0.02, rel=0.1)
    face[30:, low, 1] += 0.3 * np.sin(np.arange(30) / 2)[:, None]
    face[3] = np.nan
    stretches = list(steadiness.steady_stretches([face]))
    assert len(stretches) == 1 and np.isfinite(stretches[0]).all() and len(stretches[0]) == steadiness.STEADY_FRAMES


def test_long_speech_ends_with_its_sound(sentence):
    from landmarks.predict import load_model
    end = steadiness.end_of_long_speech(load_model(), sentence, minutes=0.31)
    assert end["frames"] == end["frames_expected"] and abs(end["frames"] - 0.31 * 60 * 25) <= 1
    assert abs(end["late_ms"]) <= 40 and end["correlation"] > 0.9


def test_sound_and_picture_begin_together_as_in_the_pack(tmp_path):
    """The pack's sound is 5 hops late: its clip begins there."""
    sound, _ = babble(2)
    write_wav(tmp_path / "a.wav", sound)
    face = np.repeat(resting_face()[None], 40, 0)
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["spectrum"], file["face"] = np.ones((40, HOPS_PER_FRAME, 257), np.float16), face
        file["rest"], file["n_frames"], file["start"], file["first_frame"], file["first_hop"] = [face[0]], [40], [0], [0], [5]
        file["name"], file["speaker"], file["split"] = [b"x/a"], [b"anna"], [b"val"]
    describe(tmp_path / "train.h5", "training-pack")
    (tmp_path / "index.csv").write_text(f"clip,sound\nx/a,{tmp_path / 'a.wav'}\n")
    (_, heard), = dataset.with_sound(dataset.load_clips(tmp_path / "train.h5", "val"), tmp_path / "index.csv")
    assert len(heard) == 40 * 640
    np.testing.assert_allclose(heard, sound[5 * HOP:5 * HOP + len(heard)], atol=1e-3)
    (tmp_path / "other.csv").write_text(f"clip,sound\nx/b,{tmp_path / 'a.wav'}\n")
    done = command(robustness.main, "--pack", tmp_path / "train.h5", "--index", tmp_path / "other.csv")
    assert done.exit_code == 1 and "no clip 'x/a'" in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_commands_measure_and_write(data, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness, "LANGUAGES", ("de",))
    monkeypatch.setattr(robustness, "distortions", lambda others: {"as it is": lambda s: s, "silence": lambda s: 0 * s})
    done = command(robustness.main, "--pack", data / "train.h5", "--index", data / "recordings" / "index.csv",
                   "--voices", corpus, "--out", tmp_path / "r.json")
    assert done.exit_code == 0, done.stderr
    measured = json.loads((tmp_path / "r.json").read_text())
    clean, silent = (measured["sounds"][name]["all clips"] for name in ("as it is", "silence"))
    assert clean["drop"] == 0 and silent["drop"] == pytest.approx(clean["correlation"] - silent["correlation"])
    assert silent["amplitude"] < clean["amplitude"] / 2
    assert set(measured["voices"]) == {"eSpeak de, man", "eSpeak de, woman", "anna", "ben", "val, ben"}
    assert all(group["opening_std"] > 0.3 for group in measured["voices"].values()), "every voice moves the mouth"
    done = command(steadiness.main, "--pack", data / "train.h5", "--out", tmp_path / "s.json")
    assert done.exit_code == 0, done.stderr
    measured = json.loads((tmp_path / "s.json").read_text())
    assert measured["long_speech"]["frames"] == measured["long_speech"]["frames_expected"] == 7500
    assert set(measured["held_vowels"]) == {f"/{v}/ at {hz} Hz" for v in "aiu" for hz in (120, 210)}
