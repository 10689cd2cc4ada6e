import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { askControl, type ControlRequest } from '#server/control.ts';

const USAGE = `belfry operator-key rotate [--forget-old]   makes a new key and seals every secret anew under it; --forget-old then drops the older
belfry operator-key forget-old              drops every key but the newest: sessions made under another end at once

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

Sessions made before a rotation stay valid while their key's line is in operator.key: wait 36 hours, their longest life, and forget
it then; a key that others have seen, forget at once. Of several servers on one database stop all but one, rotate there, and copy
its operator.key to the others before they start again. Backups made before are of the older key: keep it with them.
`;

/** `belfry operator-key …`: what the operator does to the key everything is sealed under. Resolves to the exit status. */
export async function operatorKeyCommand(args: readonly string[]): Promise<number> {
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
    console.error(USAGE);
    return 2;
  }
  const dataFolder = resolve(options.data ?? process.env['BELFRY_DATA'] ?? './data');
  try {
    if (command === 'rotate') {
      const { newest, older, resealed } = await changed(dataFolder, { command: 'operator-key rotate' });
      console.log(`The operator key is now ${newest}; ${resealed} secrets were sealed anew under it.`);
      if (!forgetOld) console.log(`Kept for sessions made before: ${older.join(', ')}. Make a copy of operator.key now.`);
    }
    if (command === 'forget-old' || forgetOld) {
      const { newest, older } = await changed(dataFolder, { command: 'operator-key forget-old' });
      console.log(
        older.length === 0
          ? `There is no key but ${newest}.`
          : `Forgotten: ${older.join(', ')}. What was sealed under them opens nothing any more.`,
      );
    }
    return 0;
  } catch (error) {
    console.error(`belfry operator-key: ${(error as Error).message}`);
    return 1;
  }
}

async function changed(dataFolder: string, request: ControlRequest) {
  const reply = await askControl(dataFolder, request);
  if (!reply.ok) throw new Error(reply.error);
  if (reply.operatorKey === undefined) throw new Error('the server said nothing of the key');
  return reply.operatorKey;
}
