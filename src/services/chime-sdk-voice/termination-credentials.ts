import type { ChimeSdkVoiceApi, Credential } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { memberOrThrow } from '../kit/resource-member.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, type VoiceConnectorDocument } from './kinds.ts';
import { type SipCredential, sipCredentialBinding } from './stored-connectors.ts';

/**
 * Printable US-ASCII. The expression is a single character class, so that matching takes one step per character.
 * Source: Chime SDK API reference, Credential, "in US-ASCII format".
 */
const ASCII = /^[\x20-\x7e]+$/;

/** Member of an input that identifies a Voice Connector. */
interface OfConnector {
  readonly VoiceConnectorId: string;
}

/**
 * Names and passwords of SIP clients. Passwords are stored encrypted, and no operation returns them. Requirement LOG-4.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorTerminationCredentials.
 */
export function terminationCredentialOperations({ vault, limits }: VoiceDeps) {
  return {
    /**
     * Returns the user names in the order in which they were added.
     *
     * @throws NotFoundException the Voice Connector does not exist
     */
    ListVoiceConnectorTerminationCredentials: {
      access: onResource(VOICE_CONNECTOR),
      async handle(call, input) {
        const { Credentials } = (await connectorOrThrow(call, input)).document;
        return { Usernames: Credentials.map(({ Username }) => Username) };
      },
    },

    /**
     * Adds users, and replaces the passwords of existing users.
     *
     * Source: AWS provider of Terraform, aws_chime_voice_connector_termination_credentials: a termination must exist
     * first.
     * Assumed: (1) Without a termination, the error is NotFoundException. (2) Users that the request does not contain
     * remain. (3) The wording of the error messages, which omit sensitive members.
     * @throws NotFoundException   the Voice Connector does not exist or has no termination
     * @throws BadRequestException a name or password is absent or outside US-ASCII, a name occurs twice, or there are
     *   too many users
     */
    PutVoiceConnectorTerminationCredentials: {
      access: onResource(VOICE_CONNECTOR),
      async handle(call, input) {
        const connector = await connectorOrThrow(call, input);
        memberOrThrow(VOICE_CONNECTOR, connector, 'Termination');
        const users = new Map(connector.document.Credentials.map((credential) => [credential.Username, credential]));
        const passwords = passwordsOf(input.Credentials ?? []);
        if (new Set([...users.keys(), ...passwords.keys()]).size > limits.credentials) {
          throw new AwsError('BadRequestException', `A Voice Connector can have at most ${limits.credentials} termination credentials.`);
        }
        for (const [Username, password] of passwords) {
          users.set(Username, { Username, sealedPassword: vault.seal(password, sipCredentialBinding(connector.id, Username)) });
        }
        await store(call, connector, [...users.values()]);
        return {};
      },
    },

    /** Deletes users, and ignores unknown names. @throws NotFoundException the Voice Connector does not exist */
    DeleteVoiceConnectorTerminationCredentials: {
      access: onResource(VOICE_CONNECTOR),
      async handle(call, input) {
        const connector = await connectorOrThrow(call, input);
        await store(
          call,
          connector,
          connector.document.Credentials.filter(({ Username }) => !input.Usernames.includes(Username)),
        );
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

type Connector = ResourceRecord<VoiceConnectorDocument>;

function connectorOrThrow(call: Call, { VoiceConnectorId }: OfConnector): Promise<Connector> {
  return findOrThrow(call, VOICE_CONNECTOR, { VoiceConnectorId });
}

async function store({ tx }: Call, connector: Connector, Credentials: readonly SipCredential[]): Promise<void> {
  await tx.resources.put(VOICE_CONNECTOR, { ...connector, document: { ...connector.document, Credentials } });
}

/** Returns the passwords by user name. */
function passwordsOf(credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const { Username, Password } of credentials) {
    if (Username === undefined || Password === undefined || !ASCII.test(Username) || !ASCII.test(Password)) {
      throw new AwsError('BadRequestException', 'Each credential must have a Username and a Password in US-ASCII.');
    }
    if (users.has(Username)) throw new AwsError('BadRequestException', 'Each credential must have a different Username.');
    users.set(Username, Password);
  }
  return users;
}
