/** Returns the payload of a channel event as JSON, as messaging sessions and streams receive it. */
export function payloadText(payload: unknown): string {
  return JSON.stringify(payload, timestampToString);
}

/**
 * Converts a timestamp in a payload to a string. A timestamp is a number whose name ends with `Timestamp`. Users can
 * choose such names too, for example for message attributes. But values with user-defined names are never numbers, so
 * the function does not change these values.
 *
 * Assumed: ISO 8601 with milliseconds, because clients pass the value to `new Date`. The guide says only "Timestamp".
 */
function timestampToString(name: string, value: unknown): unknown {
  return typeof value === 'number' && name.endsWith('Timestamp') ? new Date(value).toISOString() : value;
}
