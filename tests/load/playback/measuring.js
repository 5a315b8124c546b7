/** Measures in the page; put into it before its own code. Times are in ms of the page's clock. */
(() => {
  const RECORDER = `
    registerProcessor("recorder", class extends AudioWorkletProcessor {
      quiet = 0;
      process([[samples]]) {
        for (let i = 0; samples && i < samples.length; i += 1) {
          if (Math.abs(samples[i]) < 0.1) this.quiet += 1;
          else {
            if (this.quiet > sampleRate / 2) this.port.postMessage(currentTime + i / sampleRate);
            this.quiet = 0;
          }
        }
        return true;
      }
    });`;

  window.measuring = {
    /** Return when white pictures were shown and when beeps were played, for some seconds. */
    flashesAndBeeps: async (seconds) => {
      const video = document.querySelector("video[data-testid=video]");
      const context = new AudioContext({ latencyHint: "interactive" });
      const code = new Blob([RECORDER], { type: "text/javascript" });
      await context.audioWorklet.addModule(URL.createObjectURL(code));
      await context.resume();
      const recorder = new AudioWorkletNode(context, "recorder");
      const source = context.createMediaElementSource(video);
      source.connect(recorder);
      source.connect(context.destination);
      const beeps = [];
      recorder.port.onmessage = ({ data }) => {
        const { contextTime, performanceTime } = context.getOutputTimestamp();
        beeps.push(performanceTime + (data - contextTime) * 1000);
      };
      const canvas = new OffscreenCanvas(8, 8);
      const drawing = canvas.getContext("2d", { willReadFrequently: true });
      const flashes = [];
      let wasWhite = false;
      const note = (_now, { expectedDisplayTime }) => {
        drawing.drawImage(video, 0, 0, 8, 8);
        const isWhite = drawing.getImageData(0, 0, 8, 8).data.every((sample) => sample > 200);
        if (isWhite && !wasWhite) flashes.push(expectedDisplayTime);
        wasWhite = isWhite;
        video.requestVideoFrameCallback(note);
      };
      video.requestVideoFrameCallback(note);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      return { flashes, beeps, latency_s: context.outputLatency };
    },
  };
})();
