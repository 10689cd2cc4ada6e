/**
 * Order in which the appender of the transparency log reads the writers of records. The work of a step is bounded, and each writer gets its
 * turn, also if an attacker adds thousands of writers to the database.
 */
import type { ChainPlace } from '#store/trail/trail-chain-reads.ts';
import type { Round, WriterTurn } from '#trail/log/next-append.ts';

/** Maximum number of writers whose place is in memory. Without its place, a writer is read again from its last appended record. */
const PLACES_MAX = 2_000;

export interface WriterRounds {
  /** Returns the turn of the next step. */
  turn(): WriterTurn;
  /** Continues after a step whose packs are appended. Returns 'done' after a round in which no writer has more packs. */
  passed(round: Round): 'more' | 'done';
  /** Excludes a writer whose chain has a fault, so that no further record of it is appended. */
  exclude(writer: string): void;
}

/** Creates the rounds of one appender. */
export function writerRounds(): WriterRounds {
  const excluded = new Set<string>();
  const places = new Map<string, ChainPlace>();
  let after = '';
  let hasMore = false;

  return {
    turn: () => ({ after, hasMore, excluded: [...excluded], places }),
    passed(round) {
      for (const [writer, place] of round.passed) {
        if (places.size >= PLACES_MAX) places.clear();
        places.set(writer, place);
      }
      after = round.after;
      hasMore = after !== '' && round.hasMore;
      return after !== '' || round.hasMore ? 'more' : 'done';
    },
    exclude: (writer) => void excluded.add(writer),
  };
}
