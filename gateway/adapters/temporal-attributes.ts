import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import { OperationError } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';

const { IndexedValueType: TYPE } = proto.temporal.api.enums.v1;
const WIRE_TYPE: Readonly<Record<'KEYWORD' | 'DOUBLE', number>> = {
  KEYWORD: TYPE.INDEXED_VALUE_TYPE_KEYWORD,
  DOUBLE: TYPE.INDEXED_VALUE_TYPE_DOUBLE,
};

/** The two calls needed; part of Temporal's operator service. */
export interface AttributeService {
  listSearchAttributes(request: {
    namespace: string;
  }): Promise<{ customAttributes?: Record<string, number> | null | undefined }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}

/** An addition is seen by the next listing within this time (measured: up to 1.1 s on a fresh namespace). */
const SEEN_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 100;

/**
 * Registers what is missing. A server answers OK to an addition under a name that has another type and keeps the old
 * one, so the types are listed and compared.
 * @throws OperationError BadInput naming the attribute whose type conflicts.
 */
export const registerAttributes = async (service: AttributeService, namespace: string): Promise<void> => {
  const wanted = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, WIRE_TYPE[type]] as const);
  const listed = async (): Promise<Record<string, number>> =>
    (await service.listSearchAttributes({ namespace })).customAttributes ?? {};
  const missingIn = (known: Record<string, number>): (readonly [string, number])[] => {
    for (const [name, type] of wanted) {
      if (known[name] !== undefined && known[name] !== type)
        throw new OperationError(
          'BadInput',
          `search attribute ${name} is registered with another type in namespace ${namespace}; expected ${(TYPE[type] ?? '').replace('INDEXED_VALUE_TYPE_', '')}. Remove it (temporal operator search-attribute remove --name ${name}) or use another namespace`,
        );
    }
    return wanted.filter(([name]) => known[name] === undefined);
  };

  let missing = missingIn(await listed());
  if (missing.length === 0) return;
  await service.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) });
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    missing = missingIn(await listed());
    if (missing.length === 0) return;
    if (waited >= SEEN_WITHIN_MS)
      throw new OperationError(
        'Internal',
        `search attributes do not appear: ${missing.map(([name]) => name).join(', ')}`,
      );
    await delay(LOOK_EVERY_MS);
  }
};
