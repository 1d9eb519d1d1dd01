import { isGrpcServiceError } from '@temporalio/client';
import { messageOf } from '../../platform/errors.ts';

/** gRPC status codes that matter here. */
export const GRPC = { INVALID: 3, DEADLINE: 4, NOT_FOUND: 5, PRECONDITION: 9, UNAVAILABLE: 14 } as const;

/** The gRPC code in an error or in what caused it; null for an error of another kind. */
export const codeIn = (error: unknown): number | null => {
  if (isGrpcServiceError(error)) return error.code;
  if (error instanceof Error && error.name === 'WorkflowNotFoundError') return GRPC.NOT_FOUND;
  return error instanceof Error && error.cause ? codeIn(error.cause) : null;
};

/** What the server said, under the SDK's own wrapping. */
export const detailsIn = (error: unknown): string =>
  isGrpcServiceError(error)
    ? error.details
    : error instanceof Error && error.cause
      ? detailsIn(error.cause)
      : messageOf(error);
