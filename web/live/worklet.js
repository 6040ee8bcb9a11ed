// Sound of the audio thread, mixed to one channel, as 16-bit samples in pieces of 20 ms.
registerProcessor("microphone", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.length = Math.round(sampleRate / 50);
    this.piece = new Int16Array(this.length);
    this.filled = 0;
  }

  process([channels]) {
    const n = channels.length ? channels[0].length : 128;  // no channels: the source has ended, or not begun
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      const sample = channels.length ? sum / channels.length : 0;
      this.piece[this.filled++] = 32767 * Math.max(-1, Math.min(1, sample));
      if (this.filled === this.length) {
        this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
        this.piece = new Int16Array(this.length);  // the other one is no longer ours
        this.filled = 0;
      }
    }
    return true;
  }
});
