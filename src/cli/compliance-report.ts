/** `belfry compliance report`: writes a report for an audit, as JSON and as a page that can be printed. */

import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { writeReport } from '#compliance/report/write-report.ts';
import { counted } from '#core/counted.ts';
import { instant } from '#core/instant.ts';
import { type Flag, type ParsedFlags, requireFlag } from '#server/flags.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { readSettings, type Settings } from '#server/settings.ts';
import { DATA, DATABASE, databaseOf, dataFolderOf, type Subcommand } from './command.ts';
import { ACCOUNT, accountOf } from './compliance-check.ts';
import { DAYS, daysOf } from './policy-window.ts';
import { printable } from './printable.ts';
import { readDatabase } from './read-database.ts';
import { ACCEPT, choicesOf, WITNESS } from './trail-log.ts';

/** Lines of `belfry compliance --help` for this command. */
export const REPORT_USAGE = `belfry compliance report --out FOLDER [--account ID] [--days N]   write a compliance report into a new folder

  --out FOLDER      the new folder for report.json, report.html and the files with all items (docs/compliance-report.md)
  --account ID      only this account (default: all accounts)
  --days N          days before now whose requests are counted, from 1 to 99999 (default: 30)
  --witness …       witnesses whose checkpoints the database must contain: VKEY@URL, or several separated by commas
  --accept-restore EPOCH   logs that ended with a loss which you accept, separated by commas
  --folder DELIVERED   a copy of the bucket of delivered log files, which is verified too
  --data FOLDER     the data folder of the server, which may run (default: BELFRY_DATA, or ./data)
  --database URL    the database, if it is not in the data folder (default: BELFRY_DATABASE)
  Set the same BELFRY_… variables as for the server: the report names the certificate and the retention of the settings.
  The exit status is 1 if the trail is not intact.`;

const OUT: Flag = { flag: '--out', valid: 'a new folder' };
const FOLDER: Flag = { flag: '--folder', valid: 'a folder with the files of one bucket' };

/**
 * Part by which the heap may grow before V8 collects garbage: by half of what is in use. By default it may become four times as large, and with busy
 * cores larger. What is in use depends on accounts and principals only, so the default would let the peak grow with the number of collections,
 * and thus of records. Source: `node --v8-options`.
 */
const HEAP_GROWTH = '--heap-growing-percent=50';

export const REPORT: Subcommand = {
  flags: [OUT, ACCOUNT, DAYS, WITNESS, ACCEPT, FOLDER, DATA, DATABASE],
  async run(parsed) {
    setFlagsFromString(HEAP_GROWTH);
    const out = resolve(requireFlag(parsed.values, OUT));
    const folder = parsed.values.get(FOLDER.flag);
    const request = {
      ...choicesOf(parsed),
      out,
      accountId: accountOf(parsed),
      days: daysOf(parsed),
      now: instant(Date.now()),
      settings: settingsOf(parsed),
      eventHistoryDays: await statedEventHistory(parsed),
      folder: folder === undefined ? undefined : resolve(folder),
    };
    const { report, files, manifestSha256 } = await readDatabase(parsed, (database) => writeReport(database, request));
    const { accounts, access, activity, trail, rules } = report;
    console.log(`belfry compliance: wrote ${counted(files.length, 'file')} to '${printable(out)}'; open report.html`);
    console.log(
      `belfry compliance: ${counted(access.users, 'user')}, ${counted(access.roles, 'role')}, ${counted(activity.requests, 'request')}, ${counted(rules.nonCompliant, 'rule')} not compliant${accounts.length === 1 ? '' : `, counted for each of ${accounts.length} accounts`}`,
    );
    console.log(`belfry compliance: the SHA-256 of manifest.json is ${manifestSha256}; keep it apart from the folder`);
    for (const note of [...trail.notes, ...(trail.deliveredFiles?.notes ?? [])]) console.log(`note: ${printable(note)}`);
    for (const problem of [...trail.problems, ...(trail.deliveredFiles?.problems ?? [])])
      console.error(`belfry compliance: ${printable(problem)}`);
    const filesIntact = trail.deliveredFiles?.intact;
    if (filesIntact !== undefined) console.log(filesIntact ? 'the delivered files are intact' : 'the delivered files are NOT intact');
    console.log(trail.intact ? 'the trail is intact' : 'the trail is NOT intact');
    return trail.intact && filesIntact !== false ? 0 : 1;
  },
};

/** Returns the settings of the environment, for the database and the data folder of the flags. */
function settingsOf(parsed: ParsedFlags): Settings {
  return { ...readSettings([], process.env), dataFolder: dataFolderOf(parsed), database: databaseOf(parsed) };
}

/** Returns the days of the event history that the running server states. Undefined if no server runs on the data folder. */
async function statedEventHistory(parsed: ParsedFlags): Promise<number | undefined> {
  const reply = await askControl(dataFolderOf(parsed), { command: 'trail retention' }).catch(() => undefined);
  return reply?.ok === true ? reply.retention?.defaultDays : undefined;
}
