import { NO_ACCOUNT } from '#core/arn.ts';
import { counted } from '#core/counted.ts';
import { type Flag, FlagError, requireFlag } from '#server/flags.ts';
import { RETENTION_DAYS } from '#store/trail/trail-retention.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';
import { printList } from './list.ts';
import { FILES_FLAGS, FILES_USAGE, filesCommand } from './trail-files.ts';
import { TRAIL_LOG_COMMANDS, TRAIL_LOG_FLAGS, TRAIL_LOG_USAGE } from './trail-log.ts';
import { PROOF_FLAGS, PROOF_USAGE, proofCommand } from './trail-proof.ts';
import { TARGET_FLAGS, TARGET_USAGE, targetCommand } from './trail-target.ts';
import { TILES_FLAGS, TILES_USAGE, tilesCommand } from './trail-tiles.ts';

const USAGE = `belfry trail unproven [--max-items N]   print records of requests without a proven identity or an account, the newest first
belfry trail retention                  print how many days trail records stay
belfry trail set-retention --account-id ID --days DAYS   set how many days the trail records of an account stay
${TARGET_USAGE}
${FILES_USAGE}
${TRAIL_LOG_USAGE}
${PROOF_USAGE}
${TILES_USAGE}

  --account-id ID   the account; ${NO_ACCOUNT} for the records that 'unproven' prints
  --days DAYS       ${RETENTION_DAYS.min} to ${RETENTION_DAYS.max}, or 'default' for the setting BELFRY_EVENT_HISTORY_DAYS;
                    after a shorter time than before, older records cannot be read any more, and the server deletes them
${TARGET_FLAGS}
${FILES_FLAGS}
  --max-items N     maximum number of records, 1 to 9999999 (default: 50)
${TRAIL_LOG_FLAGS}
${PROOF_FLAGS}
${TILES_FLAGS}
  --data FOLDER     the data folder of the running server (default: BELFRY_DATA, or ./data)
`;

const PAGE = 100;
const ITEMS_DEFAULT = '50';
const MAX_ITEMS: Flag = { flag: '--max-items', valid: 'a number from 1 to 9999999' };
const ACCOUNT_ID: Flag = { flag: '--account-id', valid: 'the ID of an account' };
const DAYS: Flag = { flag: '--days', valid: `a number from ${RETENTION_DAYS.min} to ${RETENTION_DAYS.max}, or 'default'` };

/**
 * Runs `belfry trail …`: prints the trail events that no caller can look up, one JSON record per line, shows and changes how
 * long records stay, binds targets of log files, and verifies delivered files. The commands of the transparency log are in
 * `trail-log.ts`.
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
        console.error('belfry trail: found no records of requests whose identity is not proven or whose account is unknown');
      return 0;
    },
  },
  retention: {
    flags: [DATA],
    async run(parsed) {
      const { retention } = await commandServer(parsed, { command: 'trail retention' });
      if (retention === undefined) throw new Error('the response of the server has no retention');
      const rows = retention.accounts.map(({ accountId, days }) => [accountId, String(days)]);
      printList(['ACCOUNT ID', 'DAYS'], [['default', String(retention.defaultDays)], ...rows]);
      return 0;
    },
  },
  'set-retention': {
    flags: [ACCOUNT_ID, DAYS, DATA],
    async run(parsed) {
      const accountId = requireFlag(parsed.values, ACCOUNT_ID);
      const text = requireFlag(parsed.values, DAYS);
      if (text !== 'default' && !/^[1-9][0-9]{0,3}$/.test(text)) throw new FlagError(`--days is '${text}'; it must be ${DAYS.valid}`);
      const days = text === 'default' ? undefined : Number(text);
      await commandServer(parsed, { command: 'trail set-retention', accountId, ...(days !== undefined && { days }) });
      console.log(
        `belfry trail: trail records of account '${accountId}' now stay ${days === undefined ? 'as long as the setting says' : counted(days, 'day')}`,
      );
      return 0;
    },
  },
  target: targetCommand,
  'verify-files': filesCommand,
  'check-proof': proofCommand,
  'serve-tiles': tilesCommand,
  ...TRAIL_LOG_COMMANDS,
};
