import { relative } from 'node:path';
import { REPOSITORY_ROOT } from '../platform/env.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { importTraces } from './import-traces.ts';
import { openTraceDatabase } from './trace-database.ts';
import { thousands } from './words.ts';

const here = (path: string): string => {
  const near = relative(REPOSITORY_ROOT, path);
  return near.startsWith('..') ? path : near;
};

export const tracesImport: Command = {
  usage: 'traces import [--json]',
  summary: 'Bring new trace events into SQLite (TRACE_DIR into TRACE_SQLITE_PATH).',
  help: `  --json  {"files": n, "events": n, "repeated": n, "unreadable": n, "database": path}

  Repeatable and safe to interrupt at any moment. Unreadable lines are in the view import_errors.`,
  options: { json: { type: 'boolean' } },
  words: [0, 0],
  run: async (args, context) => {
    const { traceDir, sqlitePath } = context.settings;
    const database = openTraceDatabase(sqlitePath);
    try {
      const summary = await importTraces({ traceDir, database, signal: context.signal });
      if (args.flag('json')) {
        context.out(JSON.stringify({ ...summary, database: sqlitePath }));
        return EXIT.succeeded;
      }
      const { files, events, repeated, unreadable } = summary;
      if (files === 0) context.out(`no trace files in ${here(traceDir)} yet`);
      else {
        context.out(
          `${thousands(events)} new events from ${thousands(files)} files into ${here(sqlitePath)}` +
            ` (${thousands(repeated)} repeated, ${thousands(unreadable)} unreadable)`,
        );
        if (unreadable > 0) context.out('unreadable lines are listed in the view import_errors');
      }
      context.out('open it with: make datasette');
      return EXIT.succeeded;
    } finally {
      database.close();
    }
  },
};
