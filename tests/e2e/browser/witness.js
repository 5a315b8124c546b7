/**
 * What eyes and ears notice of a page, told to the tests; it is put into every page before the
 * page's own code. It only watches: it changes nothing of what plays.
 */
(() => {
  const complaints = [];
  addEventListener("securitypolicyviolation", (event) => {
    complaints.push(`${event.violatedDirective} blocked ${event.blockedURI}`);
  });

  const element = () => {
    const video = document.querySelector("video[data-testid=video]");
    if (!video) throw new Error("there is no video element");
    return video;
  };

  /** The sound of an element can be tapped once; the tap stays for as long as the page does. */
  const taps = new WeakMap();
  let context;

  async function tap(video) {
    context ??= new AudioContext();
    const started = await Promise.race([
      context.resume().then(() => true),
      new Promise((resolve) => setTimeout(resolve, 20_000, false)),
    ]);
    if (!started) throw new Error("the browser plays no sound: no gesture yet, or no sound card");
    if (!taps.has(video)) {
      const source = context.createMediaElementSource(video);
      const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
      source.connect(analyser).connect(context.destination);
      taps.set(video, analyser);
    }
    return taps.get(video);
  }

  const energy = (wave) => wave.reduce((sum, sample) => sum + sample * sample, 0);

  /** Of the pitches that cards have. The analyser's own spectrum belongs to a later moment. */
  function pitch(wave, rate_hz) {
    let best = { hz: 0, strength: 0 };
    for (let hz = 200; hz <= 2000; hz += 5) {
      const turn = (2 * Math.PI * hz) / rate_hz;
      const real = wave.reduce((sum, sample, i) => sum + sample * Math.cos(turn * i), 0);
      const imaginary = wave.reduce((sum, sample, i) => sum + sample * Math.sin(turn * i), 0);
      const strength = Math.hypot(real, imaginary);
      if (strength > best.strength) best = { hz, strength };
    }
    return best.hz;
  }

  window.witness = {
    complaints,

    /** Resolve when so many more pictures, each later than the one before, were on the screen. */
    pictures: (count) =>
      new Promise((resolve) => {
        const video = element();
        const times = [];
        const note = (_now, { mediaTime }) => {
          if (times.length === 0 || mediaTime > times.at(-1)) times.push(mediaTime);
          if (times.length > count) resolve(times);
          else video.requestVideoFrameCallback(note);
        };
        video.requestVideoFrameCallback(note);
      }),

    /** Return the range of brightness in the picture that is shown, 0 to 255: 0 is one colour. */
    contrast: () => {
      const video = element();
      const canvas = new OffscreenCanvas(64, 36);
      const drawing = canvas.getContext("2d");
      drawing.drawImage(video, 0, 0, 64, 36);
      const { data } = drawing.getImageData(0, 0, 64, 36);
      const greens = Array.from({ length: 64 * 36 }, (_, i) => data[4 * i + 1]);
      return Math.max(...greens) - Math.min(...greens);
    },

    /** Return level (1 is full scale) and strongest pitch of the loudest moment of some seconds. */
    listen: async (seconds) => {
      const analyser = await tap(element());
      const wave = new Float32Array(analyser.fftSize);
      let loudest = wave.slice();
      const end = context.currentTime + seconds;
      while (context.currentTime < end) {
        analyser.getFloatTimeDomainData(wave);
        if (energy(wave) > energy(loudest)) loudest = wave.slice();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const level = loudest.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      return { level, pitch_hz: pitch(loudest, context.sampleRate) };
    },
  };
})();
