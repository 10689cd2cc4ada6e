import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeDurably } from '#server/durable-file.ts';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import { describeBug, log } from '#server/log.ts';
import { addressOrOff } from '#server/setting-types.ts';
import { FormatError, formatVkey, isKeyName, parseVkey, type SigningKey } from '#tlog/note-key.ts';
import { hashOfOrigin } from '#tlog/witness/add-checkpoint.ts';
import { createWitness } from '#tlog/witness/witness.ts';
import { openWitnessFolder, type WitnessFolder } from '#tlog/witness/witness-folder.ts';
import { startWitnessServer } from '#tlog/witness/witness-server.ts';
import { runCommand, type Subcommand } from './command.ts';
import { printList } from './list.ts';

const LISTEN_DEFAULT = '127.0.0.1:7419';

const USAGE = `belfry witness start [--name NAME] [--listen HOST:PORT]   run a witness of transparency logs until SIGINT or SIGTERM
belfry witness add-log --vkey VKEY      let the witness cosign the checkpoints of a log
belfry witness list-logs                print the origin, the size of the latest cosigned tree and the keys of each log
belfry witness vkey                     print the public key of the witness

  --name NAME          name of the witness in its cosignatures, such as 'witness.example.com/w1'; required at the first start,
                       which creates the key
  --listen HOST:PORT   address of the HTTP server (default: ${LISTEN_DEFAULT})
  --vkey VKEY          public key of the log: NAME+ID+KEY
  --data FOLDER        data folder of the witness (default: ./witness); never the data folder of a server

Run the witness on a machine that the administrators of the log cannot change. It cosigns only checkpoints that continue the
latest checkpoint that it cosigned. Never restore its data folder from a backup: create a new witness with a new name instead.
`;

const NAME: Flag = { flag: '--name', valid: "a name without spaces and '+'" };
const LISTEN: Flag = { flag: '--listen', valid: 'HOST:PORT' };
const VKEY: Flag = { flag: '--vkey', valid: 'the public key of a log' };
const DATA: Flag = { flag: '--data', valid: 'a folder' };

/**
 * Runs `belfry witness …`: a witness of transparency logs, which is a process of its own with a data folder of its own.
 * Resolves to the exit status. `start` resolves when a signal stopped the witness.
 */
export function witnessCommand(args: readonly string[]): Promise<number> {
  return runCommand('witness', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  start: { flags: [NAME, LISTEN, DATA], run: start },
  'add-log': {
    flags: [VKEY, DATA],
    run(parsed) {
      const key = orFlagError(VKEY, () => parseVkey(requireFlag(parsed.values, VKEY)));
      if (key.type !== 'log') throw new FlagError('--vkey is the key of a witness; it must be the public key of a log');
      const outcome = folderOf(parsed).addLog(key);
      console.log(`belfry witness: ${outcome === 'added' ? 'added the' : 'already has this'} key of the log '${key.name}'`);
      return 0;
    },
  },
  'list-logs': {
    flags: [DATA],
    run(parsed) {
      const folder = existingFolderOf(parsed);
      const { key } = signingKeyOf(folder);
      const rows = folder.logs().map(({ origin, keys }) => {
        const size = folder.latest(hashOfOrigin(origin), key)?.size;
        return [origin, size === undefined ? '' : String(size), keys.map(formatVkey).join(' ')];
      });
      printList(['ORIGIN', 'SIZE', 'KEYS'], rows);
      return 0;
    },
  },
  vkey: {
    flags: [DATA],
    run(parsed) {
      console.log(formatVkey(signingKeyOf(existingFolderOf(parsed)).key));
      return 0;
    },
  },
};

async function start(parsed: ParsedFlags): Promise<number> {
  const name = parsed.values.get(NAME.flag);
  if (name !== undefined && !isKeyName(name)) throw new FlagError(`--name is '${name}'; it must be ${NAME.valid}`);
  const listen = parsed.values.get(LISTEN.flag) ?? LISTEN_DEFAULT;
  const address = addressOrOff.read(listen);
  if (address === undefined || address === 'off') throw new FlagError(`--listen is '${listen}'; it must be ${LISTEN.valid}`);
  const folder = folderOf(parsed);
  const unlock = folder.lock();
  try {
    const signingKey = firstOrStoredKey(folder, name);
    const witness = createWitness({ signingKey, folder, now: Date.now, onFork: (line) => log(line, 'error') });
    const onError = (error: unknown) => log(`could not process a request: ${describeBug(error)}`, 'error');
    // Before the address is printed, so that a signal after it stops the witness.
    const signal = new Promise<void>((stop) => {
      for (const each of ['SIGINT', 'SIGTERM'] as const) process.on(each, () => stop());
    });
    const server = await startWitnessServer({ witness, ...address, onError });
    console.log(`belfry: witness '${signingKey.key.name}' is listening on ${server.url}`);
    console.log(`belfry: the public key of the witness is ${formatVkey(signingKey.key)}`);
    await signal;
    await server.stop();
    return 0;
  } finally {
    unlock();
  }
}

function firstOrStoredKey(folder: WitnessFolder, name: string | undefined): SigningKey {
  const stored = folder.signingKey();
  if (stored === undefined && name === undefined) throw new FlagError(`missing ${NAME.flag}: ${NAME.valid}`);
  if (stored === undefined) return folder.createKey(name as string);
  if (name !== undefined && name !== stored.key.name)
    throw new FlagError(
      `--name is '${name}', but the name of this witness is '${stored.key.name}'; use another --data for another witness`,
    );
  return stored;
}

function folderOf(parsed: ParsedFlags): WitnessFolder {
  return openWitnessFolder(pathOf(parsed), writeDurably);
}

/** Opens the folder for a command that only reads. */
function existingFolderOf(parsed: ParsedFlags): WitnessFolder {
  if (!existsSync(pathOf(parsed))) throw new Error(`'${pathOf(parsed)}' does not exist; set the folder of the witness with ${DATA.flag}`);
  return folderOf(parsed);
}

function pathOf({ values }: ParsedFlags): string {
  return resolve(values.get(DATA.flag) ?? './witness');
}

function signingKeyOf(folder: WitnessFolder): SigningKey {
  const signingKey = folder.signingKey();
  if (signingKey === undefined) throw new Error("the witness has no key; run 'belfry witness start --name NAME' first");
  return signingKey;
}

function orFlagError<Value>({ flag }: Flag, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) throw new FlagError(`${flag}: ${error.message}`);
    throw error;
  }
}
