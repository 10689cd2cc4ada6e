import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { askControl, type ControlRequest } from '#server/operator/control.ts';
import { misuse, wantsHelp } from './help.ts';

const USAGE = `belfry server list
belfry server remove --id ID   remove a server that has stopped permanently; a server that still runs registers again

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)
`;

/** Runs `belfry server …`, which manages the servers on one database. Runs on the machine of one of them. Resolves to the exit status. */
export async function serverCommand(args: readonly string[]): Promise<number> {
  if (wantsHelp(args)) {
    console.log(USAGE);
    return 0;
  }
  const [command, ...rest] = args;
  let options: { id?: string; data?: string };
  try {
    options = parseArgs({ args: rest, options: { id: { type: 'string' }, data: { type: 'string' } } }).values as typeof options;
  } catch (error) {
    console.error(`belfry server: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const request = requestOf(command, options.id);
  if (request === undefined) {
    console.error(`${misuse('server', command, { remove: 'requires --id ID' })}${USAGE}`);
    return 2;
  }
  try {
    const reply = await askControl(resolve(options.data ?? process.env['BELFRY_DATA'] ?? './data'), request);
    if (!reply.ok) throw new Error(reply.error);
    for (const server of reply.servers ?? []) {
      const started = new Date(server.startedAt).toISOString();
      console.log(
        `${server.id}  ${server.state}  started ${started}  identity ${server.appliedVersion}  ${server.name}${server.own ? '  (this one)' : ''}`,
      );
    }
    if (request.command === 'server remove') console.log(`belfry server: removed server '${options.id}'`);
    return 0;
  } catch (error) {
    console.error(`belfry server: ${(error as Error).message}`);
    return 1;
  }
}

function requestOf(command: string | undefined, id: string | undefined): ControlRequest | undefined {
  if (command === 'list') return { command: 'server list' };
  return command === 'remove' && id !== undefined ? { command: 'server remove', serverId: id } : undefined;
}
