import type { Flag, ParsedFlags } from '#server/flags.ts';
import type { ControlRequest } from '#server/operator/ask-control.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';

const USAGE = `belfry operator-key rotate [--forget-old]   create a new key and re-encrypt all secrets with it; --forget-old then deletes the older keys
belfry operator-key forget-old              delete all keys except the newest; sessions that use an older key end immediately

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

Sessions from before a rotation stay valid while their key is in operator.key. The longest session lasts 36 hours: run forget-old
after that time, or immediately if a key was exposed. If several servers use one database, stop all except one, rotate the key there,
and copy its operator.key to the others before you start them. Older backups need the older key: keep it with them.
`;

const FORGET_OLD: Flag = { flag: '--forget-old' };

/** Runs `belfry operator-key …`, which changes the key that encrypts all secrets. Resolves to the exit status. */
export function operatorKeyCommand(args: readonly string[]): Promise<number> {
  return runCommand('operator-key', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  rotate: {
    flags: [FORGET_OLD, DATA],
    async run(parsed) {
      const { newest, older, resealed } = await sendKeyCommand(parsed, { command: 'operator-key rotate' });
      console.log(`belfry operator-key: the new key has the ID ${newest}; re-encrypted ${resealed} secrets`);
      if (parsed.values.has(FORGET_OLD.flag)) return await forgetOld(parsed);
      console.log(`belfry operator-key: kept the older keys ${older.join(', ')} for existing sessions; back up operator.key now`);
      return 0;
    },
  },
  'forget-old': { flags: [DATA], run: forgetOld },
};

async function forgetOld(parsed: ParsedFlags): Promise<number> {
  const { newest, older } = await sendKeyCommand(parsed, { command: 'operator-key forget-old' });
  console.log(
    older.length === 0
      ? `belfry operator-key: there are no older keys to delete; the only key is ${newest}`
      : `belfry operator-key: deleted the keys ${older.join(', ')}; tokens and backups encrypted with these keys are no longer usable`,
  );
  return 0;
}

async function sendKeyCommand(parsed: ParsedFlags, request: ControlRequest) {
  const { operatorKey } = await commandServer(parsed, request);
  if (operatorKey === undefined) throw new Error('the response of the server does not contain the IDs of the operator keys');
  return operatorKey;
}
