// The live page: sound to the server, pictures back; how late they are is measured here, where they are seen.
const PIECE_MS = 20, FRAME_MS = 40, HELD_MS = 400;  // a recording is heard, and its frames are shown, so long after it is sent
const at = (id) => document.getElementById(id);
const picture = at("face").getContext("2d");
let live = null;

function say(text, isError = false) {
  at("said").textContent = text;
  at("said").className = isError ? "error" : "";
}

function show(bitmap) {
  at("face").width = bitmap.width;
  at("face").height = bitmap.height;
  picture.drawImage(bitmap, 0, 0);
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
    this.socket.onmessage = (event) => this.take(event.data);
    await new Promise((open) => { this.socket.onopen = open; });
    this.socket.send(JSON.stringify({ rate: this.context.sampleRate }));
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

  send(piece) {
    this.nPieces++;
    this.began = Math.min(this.began, performance.now() - this.nPieces * PIECE_MS);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(piece);
  }

  async take(message) {
    const header = new DataView(message), number = header.getUint32(0, true), work = header.getFloat32(4, true);
    const bitmap = await createImageBitmap(new Blob([message.slice(8)], { type: "image/jpeg" }));
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
  live?.end();
  live = null;
  at("stop").hidden = true;
}

async function start(fromMicrophone) {
  stop();
  live = new Live();
  at("stop").hidden = false;
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
fetch("photo.jpg").then((answer) => answer.blob()).then(createImageBitmap).then(show);
