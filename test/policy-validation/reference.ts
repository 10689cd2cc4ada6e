import { authorizationReference } from '#services/kit/authorization-reference.ts';

/** Service authorization reference of the server. */
export const REFERENCE = authorizationReference();
