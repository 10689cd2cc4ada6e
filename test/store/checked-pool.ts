/**
 * Reports misuse of a connection of `pg`'s pool as an assertion failure: a second release, or a statement after the
 * release.
 *
 * `tools/test.mjs` loads this file with `--import`, so the check runs in every test and in every worker thread. A test
 * that starts a Node process on PostgreSQL passes `CHECKED` to the process. The server's code does not contain the
 * check: a module hook appends the check to the source of `pg-pool` when `pg-pool` is loaded.
 */
import { registerHooks } from 'node:module';

/** Arguments that load this check into a new Node process. */
export const CHECKED: readonly string[] = ['--import', import.meta.url];

/** Start of the message of every violation. The process with the violation writes it to standard error. */
export const VIOLATION = 'misused database connection';

const PRESENT = Symbol.for('belfry.checked-pool');

/** Reports whether this process checks its connections. */
export function poolIsChecked(): boolean {
  return PRESENT in globalThis;
}

const CHECK = `
;{
  const { AssertionError } = require('node:assert');
  const violation = (what) => {
    const error = new AssertionError({ message: '${VIOLATION}: ' + what });
    // The caller may ignore errors of a connection, so this error also ends the process and fails the test.
    setImmediate(() => { throw error; });
    throw error;
  };
  const lend = (client) => {
    const release = client.release;
    let released = false;
    return new Proxy(client, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name === 'release') return (broken) => {
          if (released) violation('released twice');
          released = true;
          return release.call(target, broken);
        };
        if (name === 'query') return (...args) => {
          if (released) violation('statement after release: ' + (args[0]?.text ?? args[0]));
          return target.query(...args);
        };
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const { connect } = Pool.prototype;
  Pool.prototype.connect = function (callback) {
    if (callback === undefined) return connect.call(this).then(lend);
    return connect.call(this, (error, client) => {
      if (error) return callback(error, undefined, NOOP);
      const lent = lend(client);
      return callback(undefined, lent, lent.release);
    });
  };
}
`;

if (!poolIsChecked()) {
  Object.defineProperty(globalThis, PRESENT, { value: true });
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      return url.endsWith('/pg-pool/index.js') ? { ...loaded, source: `${loaded.source}${CHECK}` } : loaded;
    },
  });
}
