/** Members of Node's system errors: `listen EADDRINUSE: address already in use 127.0.0.1:7080`. */
type SystemError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

/** Returns the message of an error, with its repair if the operating system reported it for an address, a file or the database. */
export function explained(error: Error): string {
  const { code, syscall, address, port, path } = error as SystemError;
  const repair = syscall === 'listen' ? LISTEN[code ?? ''] : syscall === 'open' && path !== undefined ? OPEN[code ?? ''] : undefined;
  if (repair !== undefined) return `${error.message}; ${repair}`;
  if (syscall === 'connect' || syscall === 'getaddrinfo')
    return `cannot connect to the database${address === undefined ? '' : ` at '${address}:${port}'`} (${error.message}); start it, or correct BELFRY_DATABASE`;
  return error.message;
}

const LISTEN: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop the other program, or set BELFRY_HTTP and BELFRY_HTTPS to free ports',
  EADDRNOTAVAIL: 'set BELFRY_HTTP and BELFRY_HTTPS to addresses of this machine',
  EACCES: 'set BELFRY_HTTP and BELFRY_HTTPS to ports from 1024, or allow this user to listen on lower ports',
};

const OPEN: Readonly<Record<string, string>> = {
  ENOENT: 'check the path',
  EACCES: 'allow the user that runs the server to read the file',
  EISDIR: 'specify a file',
};
