// Loaded by node-record-lpcm16 as its recorder: the command line of one of its own recorders, with the program, the
// environment and the spawn options that recorder-microphone.ts decided on. CommonJS, since that package requires it.
const { resolve, dirname } = require('node:path');

/** arecord's own period is an eighth of a second. */
const LOW_LATENCY = { arecord: ['--period-time=20000', '--buffer-time=200000'] };

const recorders = resolve(dirname(require.resolve('node-record-lpcm16')), 'recorders');

module.exports = (options) => {
  const { args } = require(resolve(recorders, `${options.program}.js`))(options);
  return {
    cmd: options.command,
    args: [...(LOW_LATENCY[options.program] ?? []), ...args.map(String)],
    spawnOptions: { env: options.env, windowsHide: true },
  };
};
