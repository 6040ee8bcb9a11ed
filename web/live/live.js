// The live page: sound to the server, pictures back; how late they are is measured here, where they are seen.
const QUIET_DB = -60, SHOWN_EVERY = 3;  // the level: its foot, and pieces of sound between two looks at it
const PIECE_MS = 20, FRAME_MS = 40, HELD_MS = 400;  // a recording is heard, and its frames are shown, so long after it is sent
const at = (id) => document.getElementById(id);
const picture = at("face").getContext("2d");
let live = null, speaking = false, photos = null;

function say(text, isError = false) {
  at("said").textContent = text;
  at("said").className = isError ? "error" : "";
}

function show(bitmap) {
  at("face").width = bitmap.width;
  at("face").height = bitmap.height;
  picture.drawImage(bitmap, 0, 0);
}

async function showPhoto() {
  show(await createImageBitmap(await (await fetch("photo.jpg", { cache: "no-store" })).blob()));
}

function setButtons() {
  at("stop").hidden = at("level").hidden = !live;
  at("microphone").disabled = at("recording").disabled = speaking && !live;
  at("choose").disabled = at("record").disabled = speaking || Boolean(live);
}

function read(message) {
  const header = new DataView(message);
  return { number: header.getUint32(0, true), work: header.getFloat32(4, true),
    picture: createImageBitmap(new Blob([message.slice(8)], { type: "image/jpeg" })) };
}

// What others say here is seen, too: this page only watches until its own visitor speaks.
function watch() {
  const socket = new WebSocket(`ws://${location.host}/watch`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = async (event) => {
    if (typeof event.data !== "string") {
      const bitmap = await read(event.data).picture;
      if (!live) show(bitmap);
      return;
    }
    const state = JSON.parse(event.data);
    if (state.speaking && !live && !speaking) say("Somebody else speaks in another page.");
    if (!state.speaking && speaking && !live && !at("said").className) say("");
    speaking = state.speaking;
    if (state.photo !== photos || !speaking) { photos = state.photo; if (!live) showPhoto(); }
    setButtons();
  };
  socket.onclose = (event) => {
    if (event.code >= 4000) say(event.reason, true);
    else setTimeout(watch, 2000);
  };
}

function levelOf(piece) {
  let sum = 0;
  const samples = new Int16Array(piece);
  for (const sample of samples) sum += sample * sample;
  return Math.max(QUIET_DB, 10 * Math.log10(sum / samples.length / 32768 ** 2 + 1e-9));
}

const middle = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

class Live {
  constructor() {
    this.began = Infinity;  // when the sound's first sample was there, ms: the soonest that any piece tells
    this.nPieces = 0;
    this.last = -1;
    this.seen = [];  // of the last second: [ms late, ms of work]
    this.context = new AudioContext();
  }

  async start(fromMicrophone) {
    await this.context.audioWorklet.addModule("worklet.js");
    const taker = new AudioWorkletNode(this.context, "microphone");
    taker.connect(this.context.destination);  // silent: it writes nothing; unconnected, it would not run
    const source = fromMicrophone ? await this.microphone() : await this.recording();
    this.held = fromMicrophone ? 0 : HELD_MS;
    this.socket = new WebSocket(`ws://${location.host}/face`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onclose = (event) => { if (this === live) { stop(); say(event.reason || "the server has gone", true); } };
    this.socket.onmessage = (event) => typeof event.data === "string" ? this.told(JSON.parse(event.data)) : this.take(event.data);
    await new Promise((open) => { this.socket.onopen = open; });
    this.socket.send(JSON.stringify({ rate: this.context.sampleRate, record: at("record").checked }));
    taker.port.onmessage = (event) => this.send(event.data);
    source.connect(taker);
    if (!fromMicrophone) {
      const later = new DelayNode(this.context, { delayTime: HELD_MS / 1000, maxDelayTime: 1 });
      source.connect(later).connect(this.context.destination);
      source.start();
    }
    this.timer = setInterval(() => this.report(), 1000);
    say("");
  }

  async microphone() {
    this.tracks = await navigator.mediaDevices.getUserMedia({ audio: true });
    return new MediaStreamAudioSourceNode(this.context, { mediaStream: this.tracks });
  }

  async recording() {
    const file = await (await fetch("speech.wav")).arrayBuffer();
    return new AudioBufferSourceNode(this.context, { buffer: await this.context.decodeAudioData(file) });
  }

  told(message) {
    this.recorded = message.recording;
  }

  send(piece) {
    this.nPieces++;
    this.loudest = Math.max(this.loudest ?? QUIET_DB, levelOf(piece));
    if (this.nPieces % SHOWN_EVERY === 0) { at("level").value = this.loudest; this.loudest = QUIET_DB; }
    this.began = Math.min(this.began, performance.now() - this.nPieces * PIECE_MS);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(piece);
  }

  async take(message) {
    const { number, work, picture } = read(message), bitmap = await picture;
    const spoken = this.began + (number + 1) * FRAME_MS, late = performance.now() - spoken;
    if (this.held > late) await new Promise((due) => setTimeout(due, this.held - late));
    if (number <= this.last || this !== live) return;
    this.last = number;
    show(bitmap);
    this.seen.push([late, work]);
  }

  report() {
    const fps = this.seen.length, late = middle(this.seen.map((s) => s[0])), work = middle(this.seen.map((s) => s[1]));
    this.seen = [];
    if (!fps) { at("figures").textContent = "no pictures yet"; return; }
    at("figures").textContent = `${fps} frames/s · ready ${late.toFixed(0)} ms after the sound · ${work.toFixed(0)} ms to make one`;
    this.socket.send(JSON.stringify({ fps, late_ms: late, work_ms: work }));
  }

  end() {
    clearInterval(this.timer);
    this.tracks?.getTracks().forEach((track) => track.stop());
    this.socket?.close();
    this.context.close();
  }
}

function stop() {
  const recorded = live?.recorded;
  live?.end();
  live = null;
  setButtons();
  if (!recorded) return;
  at("download").href = `recording/${recorded}.mp4`;
  at("made").hidden = false;
  at("record").checked = false;
}

async function start(fromMicrophone) {
  stop();
  live = new Live();
  at("made").hidden = true;
  setButtons();
  try {
    await live.start(fromMicrophone);
  } catch (error) {
    stop();
    say(fromMicrophone ? `No microphone can be used: ${error.message}.` : error.message, true);
  }
}

at("microphone").onclick = () => start(true);
at("recording").onclick = () => start(false);
at("stop").onclick = stop;
at("choose").onchange = async () => {
  const [photo] = at("choose").files;
  if (!photo) return;
  say("Looking at the photo ...");
  try {
    const answer = await fetch("photo", { method: "PUT", body: photo });
    say(answer.ok ? "" : await answer.text(), !answer.ok);
  } catch { say("the server has gone", true); }
  at("choose").value = "";
};
watch();
