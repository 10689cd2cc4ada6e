/** First digit of an ID with its highest bit changed. */
const OTHER_DIGIT: Readonly<Record<string, string>> = Object.fromEntries(
  [...'0123456789abcdef'].map((digit, i) => [digit, (i ^ 8).toString(16)]),
);

/**
 * Returns the `eventID` of the record of a request. The request ID determines it, so that a look-up by event ID also finds a record by the
 * request ID that a client has. Different request IDs have different event IDs.
 *
 * `copy` is true for the copy of the record in the event history of another account.
 */
export function eventIdOf(requestId: string, copy = false): string {
  const id = requestId.slice(28) + requestId.slice(8, 28) + requestId.slice(0, 8);
  return copy ? pairedEventId(id) : id;
}

/** Returns the `eventID` of the other record of a request with records in two accounts: of the copy, or of the record with this copy. */
export function pairedEventId(eventId: string): string {
  const first = eventId.charAt(0);
  return `${OTHER_DIGIT[first] ?? first}${eventId.slice(1)}`;
}
