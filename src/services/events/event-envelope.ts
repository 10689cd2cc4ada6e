/** Changes of the JSON of an event. */

/**
 * Returns the JSON of an event with `replay-name` after `region`. All members before `resources` are strings, in which quotes are escaped, so
 * the first `,"resources":[` is that of the event.
 */
export function withReplayName(event: string, replayName: string): string {
  const at = event.indexOf(',"resources":[');
  return `${event.slice(0, at)},"replay-name":${JSON.stringify(replayName)}${event.slice(at)}`;
}

/** Returns the JSON of an event with another ID. The ID is the second member. */
export function withId(event: string, id: string): string {
  return event.replace(/"id":"[^"]{0,64}"/, `"id":"${id}"`);
}
