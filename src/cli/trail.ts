import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { askControl } from '#server/operator/control.ts';
import { misuse, wantsHelp } from './help.ts';

const USAGE = `belfry trail unproven   print records of requests without a proven identity or an account, the newest first

  --max-items N   maximum number of records, 1 to 9999999 (default: 50)
  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)
`;

const PAGE = 100;
const ITEMS_DEFAULT = '50';

/**
 * Runs `belfry trail …`, which prints the trail events that no caller can look up, one JSON record per line.
 *
 * Runs on the server's machine. Resolves to the exit status.
 */
export async function trailCommand(args: readonly string[]): Promise<number> {
  if (wantsHelp(args)) {
    console.log(USAGE);
    return 0;
  }
  const [command, ...rest] = args;
  let options: { 'max-items'?: string; data?: string };
  try {
    options = parseArgs({ args: rest, options: { 'max-items': { type: 'string' }, data: { type: 'string' } } }).values as typeof options;
  } catch (error) {
    console.error(`belfry trail: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const items = options['max-items'] ?? ITEMS_DEFAULT;
  if (command !== 'unproven' || !/^[1-9][0-9]{0,6}$/.test(items)) {
    console.error(`${misuse('trail', command, { unproven: 'requires --max-items from 1 to 9999999' })}${USAGE}`);
    return 2;
  }
  const dataFolder = resolve(options.data ?? process.env['BELFRY_DATA'] ?? './data');
  let remaining = Number(items);
  let before: string | undefined;
  try {
    do {
      const limit = Math.min(remaining, PAGE);
      const reply = await askControl(dataFolder, { command: 'trail unproven', limit, ...(before !== undefined && { before }) });
      if (!reply.ok) throw new Error(reply.error);
      for (const record of reply.records ?? []) console.log(record);
      remaining -= reply.records?.length ?? 0;
      before = reply.next;
    } while (before !== undefined && remaining > 0);
    if (remaining === Number(items)) console.error('belfry trail: there are no such records');
    return 0;
  } catch (error) {
    console.error(`belfry trail: ${(error as Error).message}`);
    return 1;
  }
}
