/** The commands of `belfry trail` for the transparency log. All but `restored` read the database without the server. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '#core/counted.ts';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import { readWitness, type WitnessSetting } from '#server/witness-setting.ts';
import type { ReadOnlyDatabase } from '#store/engine/read-only-database.ts';
import type { Sql } from '#store/sql.ts';
import { trailLog } from '#store/trail/log/trail-log.ts';
import { alteredPacks } from '#store/trail/trail-altered.ts';
import { parseVkey } from '#tlog/note-key.ts';
import { PROOF_SUFFIX } from '#tlog/proof.ts';
import { createWitnessClient, type WitnessAddress } from '#tlog/witness/witness-client.ts';
import { DeliveredFileError, type DeliveredRecords, deliveredRecords } from '#trail/log/delivered-files.ts';
import { proveRecord } from '#trail/log/prove-record.ts';
import { verifyTrail } from '#trail/log/verify-trail.ts';
import { commandServer, DATA, DATABASE, type Subcommand } from './command.ts';
import { readDatabase } from './read-database.ts';

/** Lines of `belfry trail --help` for the transparency log. */
export const TRAIL_LOG_USAGE = `belfry trail status                     print the transparency log, its checkpoints and its witnesses
belfry trail prove EVENT_ID [--out FILE]   write a proof that the record of an event is in the log: FILE${PROOF_SUFFIX}, FILE.leaf, FILE.json
belfry trail verify [--witness VKEY@URL,…] [--log VKEY] [--accept-restore EPOCH,…] [--folder DELIVERED]
                                        check records, chains, log and witnesses; exit status 1 if a record was changed or removed
belfry trail restored --reason TEXT     after a restore from a backup: start a log that names the lost records`;

/** Lines of `belfry trail --help` for the flags of these commands. */
export const TRAIL_LOG_FLAGS = `  --out FILE        prefix of the files of a proof (default: EVENT_ID)
  --witness …       witnesses whose checkpoints the database must contain, separated by commas
  --log VKEY        public key that the first log must have
  --accept-restore EPOCH   logs that ended with a loss which you accept, separated by commas
  --folder DELIVERED   folder with a copy of delivered log files, of which each record must be in the trail
  --database URL    the database, if it is not in the data folder (default: BELFRY_DATABASE)
  --reason TEXT     reason of the restore, which the log names for ever`;

const OUT: Flag = { flag: '--out', valid: 'a file without suffix' };
/** Flags of commands that verify the trail. */
export const WITNESS: Flag = { flag: '--witness', valid: 'VKEY@URL, or several separated by commas' };
const LOG: Flag = { flag: '--log', valid: 'the public key of the log' };
export const ACCEPT: Flag = { flag: '--accept-restore', valid: 'the number of an epoch, or several separated by commas' };
const FOLDER: Flag = { flag: '--folder', valid: 'a folder' };
const REASON: Flag = { flag: '--reason', valid: 'a text of 1 to 1000 characters' };

/** Subcommands of `belfry trail` for the transparency log. */
export const TRAIL_LOG_COMMANDS: Readonly<Record<string, Subcommand>> = {
  status: {
    flags: [DATA, DATABASE],
    run: (parsed) => readDatabase(parsed, ({ sql }) => status(sql)),
  },
  prove: {
    flags: [OUT, DATA, DATABASE],
    operand: 'EVENT_ID',
    run(parsed) {
      const [eventId, ...others] = parsed.positionals;
      if (eventId === undefined || others.length > 0) throw new FlagError('specify one event ID');
      return readDatabase(parsed, ({ sql }) => prove(sql, eventId, parsed.values.get(OUT.flag) ?? eventId));
    },
  },
  verify: {
    flags: [WITNESS, LOG, ACCEPT, FOLDER, DATA, DATABASE],
    run(parsed) {
      const choices = choicesOf(parsed);
      return readDatabase(parsed, (database) => verify(database, parsed, choices));
    },
  },
  restored: {
    flags: [REASON, DATA],
    async run(parsed) {
      const reason = requireFlag(parsed.values, REASON);
      const { trailLog: started } = await commandServer(parsed, { command: 'trail restored', reason });
      if (started === undefined) throw new Error('the response of the server has no log');
      console.log(`belfry trail: the server accepts requests again; the log with epoch ${started.epoch} names the loss`);
      console.log(`belfry trail: add its key to each witness: belfry witness add-log --vkey ${started.vkey}`);
      return 0;
    },
  },
};

async function status(sql: Sql): Promise<number> {
  const logs = await trailLog(sql).logs();
  if (logs.length === 0) throw new Error('the database has no trail log yet; the server creates it after its start');
  for (const { epoch, origin, vkey, size } of logs) {
    console.log(`epoch ${epoch}  ${origin}  ${size} leaves`);
    console.log(`  vkey ${vkey}`);
    for (const checkpoint of await trailLog(sql).checkpoints(epoch))
      console.log(`  ${checkpoint.kind}  ${checkpoint.size} leaves  ${new Date(checkpoint.at).toISOString()}`);
    for (const { subject, state, detail, at } of await trailLog(sql).states(epoch))
      console.log(`  ${subject}  ${state}${detail === '' ? '' : `: ${detail}`}  since ${new Date(at).toISOString()}`);
  }
  const altered = await alteredPacks(sql);
  if (altered > 0) console.log(`kept as evidence: ${counted(altered, 'row')} of expired records that someone altered`);
  return 0;
}

async function prove(sql: Sql, eventId: string, out: string): Promise<number> {
  const { proof, leaf, record, vkey, index, size, isCosigned } = await proveRecord(sql, eventId);
  writeFileSync(`${out}${PROOF_SUFFIX}`, proof);
  writeFileSync(`${out}.leaf`, leaf);
  writeFileSync(`${out}.json`, record, { mode: 0o600 });
  console.log(`belfry trail: wrote ${out}${PROOF_SUFFIX}, ${out}.leaf and ${out}.json`);
  console.log(
    `belfry trail: index ${index} of ${size} leaves, ${isCosigned ? 'cosigned' : 'not cosigned, because the server has no witness'}`,
  );
  console.log(`belfry trail: the public key of the log is ${vkey}`);
  return 0;
}

export interface VerifyChoices {
  readonly witnesses: readonly WitnessAddress[];
  readonly acceptedEpochs: ReadonlySet<number>;
}

/** Reads `WITNESS` and `ACCEPT`. @throws FlagError  a value is invalid */
export function choicesOf(parsed: ParsedFlags): VerifyChoices {
  const texts = (parsed.values.get(WITNESS.flag) ?? '').split(',').filter((text) => text !== '');
  const settings = texts.map((text) => readWitness(text) ?? misused(WITNESS, text));
  const witnesses = settings.map(({ vkey, url }: WitnessSetting) => ({ url, key: parseVkey(vkey) }));
  return { witnesses, acceptedEpochs: epochsOf(parsed) };
}

async function verify(database: ReadOnlyDatabase, parsed: ParsedFlags, { witnesses, acceptedEpochs }: VerifyChoices): Promise<number> {
  const client = createWitnessClient({ witnesses });
  const delivered = deliveredRecords();
  const folder = parsed.values.get(FOLDER.flag);
  const wrongFiles = folder === undefined ? [] : readDelivered(folder, delivered);
  const began = performance.now();
  const { problems, notes, records, deleted, pending, logs, lostUntil } = await verifyTrail(database.sql, {
    second: await database.second(),
    acceptedEpochs,
    witnesses: witnesses.map(({ key }) => key.name),
    latest: (logKey) => client.latest([logKey]),
    ...(folder !== undefined && { onRecord: delivered.found }),
  });
  const key = parsed.values.get(LOG.flag);
  const missing = delivered.missing(lostUntil);
  const all = [...problems, ...wrongFiles, ...missing.problems];
  if (key !== undefined && logs[0]?.vkey !== key) all.push(`the key of the first log is '${logs[0]?.vkey}', not '${key}'`);
  const seconds = Math.max(0.001, (performance.now() - began) / 1_000).toFixed(1);
  console.log(`checked ${counted(records, 'record')} (${deleted} deleted by retention, ${pending} not in the log yet) in ${seconds} s`);
  for (const { epoch, vkey, size } of logs) console.log(`epoch ${epoch}: ${size} leaves, ${vkey}`);
  if (folder !== undefined) console.log(`compared ${counted(delivered.count(), 'record')} of delivered files`);
  for (const { key: witness } of witnesses) console.log(`asked the witness '${witness.name}'`);
  for (const note of [...notes, ...missing.notes]) console.log(`note: ${note}`);
  if (witnesses.length === 0)
    console.log('note: no witness was asked, so a rollback or a rewritten history can be invisible; use --witness');
  for (const problem of all) console.error(`belfry trail verify: ${problem}`);
  console.log(all.length === 0 ? 'the trail is intact' : `the trail is NOT intact: ${counted(all.length, 'problem')}`);
  return all.length === 0 ? 0 : 1;
}

/** Reads the log files of a folder. Returns the problems of files that are not in the format of the server. */
function readDelivered(folder: string, delivered: DeliveredRecords): readonly string[] {
  const names = globSync('**/*_CloudTrail_*.json.gz', { cwd: folder }).toSorted();
  if (names.length === 0) throw new Error(`there are no log files in '${folder}'`);
  return names.flatMap((name) => {
    try {
      delivered.add(name, readFileSync(join(folder, name)));
      return [];
    } catch (error) {
      if (error instanceof DeliveredFileError) return [`delivered file '${name}': ${error.message}`];
      throw error;
    }
  });
}

function epochsOf({ values }: ParsedFlags): ReadonlySet<number> {
  const texts = (values.get(ACCEPT.flag) ?? '').split(',').filter((text) => text !== '');
  for (const text of texts) if (!/^[1-9][0-9]{0,5}$/.test(text)) misused(ACCEPT, text);
  return new Set(texts.map(Number));
}

function misused({ flag, valid }: Flag, text: string): never {
  throw new FlagError(`${flag} is '${text}'; it must be ${valid}`);
}
