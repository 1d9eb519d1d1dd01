/** What was sent cannot be accepted: answered with 400. */
export class BadRequest extends Error {}

/** What was asked for is not there: answered with 404. */
export class NotFound extends Error {}
