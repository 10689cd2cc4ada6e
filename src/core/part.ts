/**
 * Component of the running server, such as a listener, a timer, a connection or a thread.
 *
 * `composeCore` and `serving` list the parts. `runParts` starts them in order, drains them on SIGTERM and stops them in
 * reverse order. A part starts no timer and opens nothing before `start`.
 */
export interface Part {
  /** Name in error messages, for example `lease`. */
  readonly name: string;
  /** Resolves once the part works. If it rejects, the part has released everything that it opened. */
  readonly start?: () => Promise<void> | void;
  /** Finishes accepted work. The part still accepts work until `drain` resolves or `stop` runs. */
  readonly drain?: () => Promise<void> | void;
  /** Releases everything that `start` opened. Runs once, after the parts that started later have stopped. */
  readonly stop?: () => Promise<void> | void;
}
