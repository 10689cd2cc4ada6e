import { type Flag, FlagError } from '#server/flags.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';

const USAGE = `belfry trail unproven   print records of requests without a proven identity or an account, the newest first

  --max-items N   maximum number of records, 1 to 9999999 (default: 50)
  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)
`;

const PAGE = 100;
const ITEMS_DEFAULT = '50';
const MAX_ITEMS: Flag = { flag: '--max-items', valid: 'a number from 1 to 9999999' };

/**
 * Runs `belfry trail …`, which prints the trail events that no caller can look up, one JSON record per line.
 *
 * Runs on the server's machine. Resolves to the exit status.
 */
export function trailCommand(args: readonly string[]): Promise<number> {
  return runCommand('trail', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  unproven: {
    flags: [MAX_ITEMS, DATA],
    async run(parsed) {
      const items = parsed.values.get(MAX_ITEMS.flag) ?? ITEMS_DEFAULT;
      if (!/^[1-9][0-9]{0,6}$/.test(items)) throw new FlagError(`--max-items is '${items}'; it must be ${MAX_ITEMS.valid}`);
      let remaining = Number(items);
      let before: string | undefined;
      do {
        const limit = Math.min(remaining, PAGE);
        const { records = [], next } = await commandServer(parsed, {
          command: 'trail unproven',
          limit,
          ...(before !== undefined && { before }),
        });
        for (const record of records) console.log(record);
        remaining -= records.length;
        before = next;
      } while (before !== undefined && remaining > 0);
      if (remaining === Number(items))
        console.error('belfry trail: there are no records of requests without a proven identity or an account');
      return 0;
    },
  },
};
