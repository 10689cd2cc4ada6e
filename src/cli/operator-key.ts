import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { askControl, type ControlRequest } from '#server/operator/control.ts';
import { misuse, wantsHelp } from './help.ts';

const USAGE = `belfry operator-key rotate [--forget-old]   create a new key and re-seal all secrets with it; --forget-old then deletes the older keys
belfry operator-key forget-old              delete all keys except the newest; sessions that use an older key end immediately

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

Sessions from before a rotation stay valid while their key is in operator.key. The longest session lasts 36 hours: run forget-old
after that time, or immediately if a key was exposed. If several servers use one database, stop all except one, rotate the key there,
and copy its operator.key to the others before you start them. Older backups need the older key: keep it with them.
`;

/** Runs `belfry operator-key …`, which changes the key that seals all secrets. Resolves to the exit status. */
export async function operatorKeyCommand(args: readonly string[]): Promise<number> {
  if (wantsHelp(args)) {
    console.log(USAGE);
    return 0;
  }
  const [command, ...rest] = args;
  let options: { data?: string; 'forget-old'?: boolean };
  try {
    options = parseArgs({ args: rest, options: { data: { type: 'string' }, 'forget-old': { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`belfry operator-key: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const forgetOld = options['forget-old'] === true;
  if ((command !== 'rotate' && command !== 'forget-old') || (command === 'forget-old' && forgetOld)) {
    console.error(`${misuse('operator-key', command, { 'forget-old': 'does not accept --forget-old' })}${USAGE}`);
    return 2;
  }
  const dataFolder = resolve(options.data ?? process.env['BELFRY_DATA'] ?? './data');
  try {
    if (command === 'rotate') {
      const { newest, older, resealed } = await sendKeyCommand(dataFolder, { command: 'operator-key rotate' });
      console.log(`belfry operator-key: the new key is ${newest}; re-sealed ${resealed} secrets`);
      if (!forgetOld) console.log(`belfry operator-key: kept for existing sessions: ${older.join(', ')}; back up operator.key now`);
    }
    if (command === 'forget-old' || forgetOld) {
      const { newest, older } = await sendKeyCommand(dataFolder, { command: 'operator-key forget-old' });
      console.log(
        older.length === 0
          ? `belfry operator-key: ${newest} is the only key`
          : `belfry operator-key: deleted ${older.join(', ')}; tokens and backups sealed with them are no longer usable`,
      );
    }
    return 0;
  } catch (error) {
    console.error(`belfry operator-key: ${(error as Error).message}`);
    return 1;
  }
}

async function sendKeyCommand(dataFolder: string, request: ControlRequest) {
  const reply = await askControl(dataFolder, request);
  if (!reply.ok) throw new Error(reply.error);
  if (reply.operatorKey === undefined) throw new Error('the response of the server has no operator key');
  return reply.operatorKey;
}
