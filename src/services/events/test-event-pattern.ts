import { AwsError } from '#core/aws-error.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { compilePattern, type Pattern } from './pattern/compile.ts';
import { type EventFields, eventFields } from './pattern/event-fields.ts';
import { matches } from './pattern/match.ts';
import { PatternProblem } from './pattern/pattern-problem.ts';

/** Members of an event that TestEventPattern requires. Recorded: test/cases/recorded/README.md, October 2025. */
const REQUIRED = ['id', 'account', 'source', 'time', 'region', 'detail-type'];

/**
 * Operation TestEventPattern: reports whether a pattern matches an event.
 *
 * @throws InvalidEventPatternException  the pattern is not valid
 * @throws ValidationException           the event is not a JSON object, or lacks a required member
 *
 * Source: EventBridge API reference, TestEventPattern. Assumed: (1) an error of the pattern wins over one of the event;
 * (2) a required member may have any value that is not an object or an empty array.
 */
export const testEventPatternOperations: Pick<DeclaredOperations<'events'>, 'TestEventPattern'> = {
  TestEventPattern: {
    handle: async (_call, { EventPattern, Event }) => {
      const pattern = parsePattern(EventPattern);
      return { Result: matches(pattern, parseEvent(Event)) };
    },
  },
};

/**
 * Compiles the pattern of a request.
 *
 * @throws InvalidEventPatternException
 */
function parsePattern(text: string): Pattern {
  try {
    return compilePattern(text);
  } catch (problem) {
    if (problem instanceof PatternProblem) throw new AwsError('InvalidEventPatternException', problem.message);
    throw problem;
  }
}

function parseEvent(text: string): EventFields {
  const event = eventFields(text);
  if (event === undefined || REQUIRED.some((name) => !event.byPath.has(name))) {
    throw new AwsError('ValidationError', 'Parameter Event is not valid.');
  }
  return event;
}
