import { loadEnvironment } from '../platform/env.ts';
import { aborted, runProcess } from '../platform/lifecycle.ts';
import { createLog } from '../platform/log.ts';
import { createScrub, secretsOf } from '../platform/secrets.ts';
import { chooseRecogniser } from './adapters/choose-recogniser.ts';
import { findProgramVoice } from './adapters/program-voice.ts';
import { createRealtimeSocket } from './adapters/realtime-socket.ts';
import { loadRehearsalConfig } from './config.ts';
import { startRehearsal } from './server.ts';

// The edge starts it as a child, and ends with the channel between them, however it ends; the same as being asked to.
process.once('disconnect', () => process.emit('SIGTERM'));

/** The loopback models as a process. Prints one line `{"listening":"http://127.0.0.1:N"}` when they answer. */
await runProcess(
  async (signal, closer) => {
    const environment = loadEnvironment(process.env, '.env.wsl');
    const config = loadRehearsalConfig(environment);
    const log = createLog('rehearsal', createScrub(secretsOf(environment)), config.logLevel);
    const synthesise = await findProgramVoice(config.programPath);
    const rehearsal = await startRehearsal({
      port: config.port,
      log,
      realtimeDoor: createRealtimeSocket,
      openRecogniser: () => chooseRecogniser({ skillsFolder: config.skillsDir, env: { PATH: config.programPath } }),
      ...(synthesise && { synthesise }),
    });
    closer.add('rehearsal server', () => rehearsal.close());
    process.stdout.write(`${JSON.stringify({ listening: rehearsal.url })}\n`);
    log.info({ url: rehearsal.url }, 'rehearsal models are listening');
    await aborted(signal);
  },
  (message) => void process.stderr.write(`rehearsal: ${message}\n`),
);
