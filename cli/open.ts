import { z } from 'zod';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import { createGateway } from './gateway.ts';

const Login = z.looseObject({ path: z.string().startsWith('/login?code='), expires_at: z.string() });

export const open: Command = {
  usage: 'open [--json]',
  summary: 'Print a link that logs one browser in, once, within five minutes.',
  help: '  --json  {"url", "expires_at"} as one JSON object',
  options: { json: { type: 'boolean' } },
  words: [0, 0],
  run: async (args, context) => {
    const gateway = createGateway(context);
    const login = Login.safeParse(await gateway.post('/login', {}));
    if (!login.success)
      throw new CommandError(EXIT.failed, 'the gateway gave an answer that this version does not know');
    const url = `${gateway.url}${login.data.path}`;
    context.out(args.flag('json') ? JSON.stringify({ url, expires_at: login.data.expires_at }) : url);
    return EXIT.succeeded;
  },
};
