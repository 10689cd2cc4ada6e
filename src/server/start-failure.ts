import type { Settings } from './settings.ts';

/** System error of Node, for example `listen EADDRINUSE: address already in use 127.0.0.1:7080`. */
type SystemError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

/**
 * Returns the message of an error. If the operating system reported the error for an address, a file or the database,
 * the message also says how to fix the error.
 */
export function explained(error: Error, settings: Pick<Settings, 'http' | 'https'>): string {
  const { code, syscall, address, port, path } = error as SystemError;
  if (syscall === 'listen' && LISTEN[code ?? ''] !== undefined) {
    return `${error.message}; set ${settingsOfPort(port, settings)} to ${LISTEN[code ?? '']}`;
  }
  if (syscall === 'open' && path !== undefined && OPEN[code ?? ''] !== undefined) return `${error.message}; ${OPEN[code ?? '']}`;
  if (syscall === 'connect' || syscall === 'getaddrinfo')
    return `cannot connect to the database${address === undefined ? '' : ` at '${address}:${port}'`} (${error.message}); start the database, or correct BELFRY_DATABASE`;
  return error.message;
}

const LISTEN: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another port, or stop the other program',
  EADDRNOTAVAIL: 'an address of this machine',
  EACCES: 'a port from 1024, or allow this user to listen on lower ports',
};

const OPEN: Readonly<Record<string, string>> = {
  ENOENT: 'check the path',
  EACCES: 'allow the user that runs the server to read the file',
  EISDIR: 'specify a file',
};

/**
 * Returns the flag and the environment variable of the listener with this port. If both listeners have this port, or no
 * listener has it, returns the flags and variables of both listeners.
 */
function settingsOfPort(port: number | undefined, settings: Pick<Settings, 'http' | 'https'>): string {
  const names = (['http', 'https'] as const).filter((name) => {
    const address = settings[name];
    return address !== 'off' && address.port === port;
  });
  return (names.length === 0 ? ['http', 'https'] : names).map((name) => `--${name} (BELFRY_${name.toUpperCase()})`).join(' or ');
}
