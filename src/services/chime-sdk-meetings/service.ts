import { hkdfSync } from 'node:crypto';
import { derivedFrom, type OperatorKeys } from '#access/operator-keys.ts';
import { service } from '../kit/service.ts';
import type { MediaEndpoints } from './media-placement.ts';
import { tellOfMeeting } from './meeting-notices.ts';
import { sweepEndedMeetings } from './sweep.ts';
import { assumeTranscriptionRole, TRANSCRIPTION_ROLE } from './transcription-role.ts';

/** Parts of the server that Chime SDK meetings needs. */
export interface MeetingsParts {
  readonly operatorKeys: OperatorKeys;
  /** Returns the URL that clients use for this server. */
  readonly publicUrl: () => string;
  /** Returns the URL without TLS for clients on this machine. Undefined without an HTTP listener, or if the operator set a public URL. */
  readonly localUrl: () => string | undefined;
}

function mediaEndpointsOf(httpUrl: string): MediaEndpoints {
  return { signalingUrl: httpUrl.replace(/^http/, 'ws'), audioHost: new URL(httpUrl).host, httpUrl };
}

/** Chime SDK meetings. Meetings and attendees have tables of their own. */
export const meetings = service<MeetingsParts>({
  name: 'chime-sdk-meetings',
  async operations({ operatorKeys, publicUrl, localUrl }) {
    const [{ meetingsOperations }, { joinTokens }, { DEFAULT_LIMITS }] = await Promise.all([
      import('./operations.ts'),
      import('./join-token.ts'),
      import('./deps.ts'),
    ]);
    const local = localUrl();
    const tokens = derivedFrom(operatorKeys, (keys) => {
      const [newest, ...older] = keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'belfry join tokens', 32)));
      return joinTokens(newest as Buffer, older);
    });
    return meetingsOperations({
      mediaEndpoints: mediaEndpointsOf(publicUrl()),
      ...(local !== undefined && { localMediaEndpoints: mediaEndpointsOf(local) }),
      joinTokens: { issue: (facts) => tokens().issue(facts) },
      limits: DEFAULT_LIMITS,
    });
  },
  linkedRoles: [TRANSCRIPTION_ROLE],
  sweeps: [() => sweepEndedMeetings],
  subscriptions: [assumeTranscriptionRole, tellOfMeeting],
});
