import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/**
 * What somebody sends by hand may be no JSON, or in an encoding that nobody knows. To the order it is nothing, which no
 * handler takes: a signal that can't be read would fail its task for ever. What activities answer is always ours.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, ...how) => defaultPayloadConverter.toPayload(value, ...how),
  fromPayload(payload, context, ...how) {
    try {
      return defaultPayloadConverter.fromPayload(payload, context, ...how);
    } catch (error) {
      if (context?.type === 'activity') throw error;
      return null as never;
    }
  },
};
