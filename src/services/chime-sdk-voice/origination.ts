import type { ChimeSdkVoiceApi, Origination, OriginationRoute } from '#model/generated/chime-sdk-voice.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { requireNoEmergencyCalling } from './emergency-calling.ts';
import { AwsError } from './errors.ts';
import { configurationOrNotFound, connectorOrNotFound, onConnector, putConfiguration, removeConfiguration } from './found.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/** Source: Chime SDK API reference, Origination. */
const ROUTES_MAX = 20;
/** Source: Chime SDK API reference, OriginationRoute. */
const DEFAULT_PORT = 5060;

/** Where calls that come in are sent. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorOrigination and its like. */
export const originationOperations: Pick<
  Operations,
  'GetVoiceConnectorOrigination' | 'PutVoiceConnectorOrigination' | 'DeleteVoiceConnectorOrigination'
> = {
  /** @throws NotFoundException no such connector, or it has none */
  GetVoiceConnectorOrigination: {
    access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorOrigination', input),
    handle: async (call, input) => ({ Origination: await configurationOrNotFound(call, input, 'origination') }),
  },

  /**
   * @throws NotFoundException   no such connector
   * @throws BadRequestException neither routes nor `Disabled`, too many routes or none, a route without a host; emergency calling needs it on
   */
  PutVoiceConnectorOrigination: {
    access: (input, caller) => onConnector(caller, 'chime:PutVoiceConnectorOrigination', input),
    async handle(call, input) {
      const connector = await connectorOrNotFound(call, input);
      const origination = toOrigination(input.Origination, connector.document.requireEncryption);
      if (origination.Disabled) requireNoEmergencyCalling(connector);
      await putConfiguration(call, connector, 'origination', origination);
      return { Origination: origination };
    },
  },

  /**
   * @throws NotFoundException   no such connector
   * @throws BadRequestException emergency calling needs it
   */
  DeleteVoiceConnectorOrigination: {
    access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnectorOrigination', input),
    async handle(call, input) {
      const connector = await connectorOrNotFound(call, input);
      requireNoEmergencyCalling(connector);
      await removeConfiguration(call, connector, 'origination');
      return {};
    },
  },
};

/**
 * Source: Chime SDK API reference, Origination, OriginationRoute: what must be given, and the defaults of port and, with encryption, protocol.
 * Assumed: UDP is the default without encryption; a route needs a host; the texts.
 */
function toOrigination({ Routes, Disabled }: Origination, requireEncryption: boolean): Origination {
  if (Routes === undefined && Disabled === undefined) throw new AwsError('BadRequestException', 'Routes or Disabled must be given.');
  if (Routes !== undefined && (Routes.length < 1 || Routes.length > ROUTES_MAX)) {
    throw new AwsError('BadRequestException', `Routes must have between 1 and ${ROUTES_MAX} members.`);
  }
  const toRoute = (route: OriginationRoute): OriginationRoute => {
    if (route.Host === undefined || route.Host.trim() === '') throw new AwsError('BadRequestException', 'A route must have a Host.');
    return { ...route, Port: route.Port ?? DEFAULT_PORT, Protocol: route.Protocol ?? (requireEncryption ? 'TCP' : 'UDP') };
  };
  return { Routes: Routes?.map(toRoute) ?? [], Disabled: Disabled ?? false };
}
