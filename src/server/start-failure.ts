import type { Settings } from './settings.ts';

/** Members of Node's system errors: `listen EADDRINUSE: address already in use 127.0.0.1:7080`. */
type SystemError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

/** Returns the message of an error, with its repair if the operating system reported it for an address, a file or the database. */
export function explained(error: Error, settings: Pick<Settings, 'http' | 'https'>): string {
  const { code, syscall, address, port, path } = error as SystemError;
  if (syscall === 'listen' && LISTEN[code ?? ''] !== undefined) {
    return `${error.message}; set ${settingsOfPort(port, settings)} to ${LISTEN[code ?? '']}`;
  }
  if (syscall === 'open' && path !== undefined && OPEN[code ?? ''] !== undefined) return `${error.message}; ${OPEN[code ?? '']}`;
  if (syscall === 'connect' || syscall === 'getaddrinfo')
    return `cannot connect to the database${address === undefined ? '' : ` at '${address}:${port}'`} (${error.message}); start it, or correct BELFRY_DATABASE`;
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

/** Returns the flag and the variable of the listener with a port: of both listeners if they have the same port. */
function settingsOfPort(port: number | undefined, settings: Pick<Settings, 'http' | 'https'>): string {
  const names = (['http', 'https'] as const).filter((name) => {
    const address = settings[name];
    return address !== 'off' && address.port === port;
  });
  return (names.length === 0 ? ['http', 'https'] : names).map((name) => `--${name} (BELFRY_${name.toUpperCase()})`).join(' or ');
}
