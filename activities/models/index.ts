import type { Provider } from '../../contracts/agent.ts';
import shipped from '../../platform/models.json' with { type: 'json' };
import { createAnthropicModel } from './adapters/anthropic.ts';
import { createGeminiModel } from './adapters/gemini.ts';
import type { ConfiguredModel, Models } from './model.ts';

/** How one provider is reached. `defaultModel` null: the shipped name (`platform/models.json`). */
export interface ProviderOptions {
  apiKey: string;
  /** null: the provider itself. */
  baseUrl: string | null;
  rehearsal: boolean;
  defaultModel: string | null;
}

/** Every provider, through its SDK. The one place that chooses adapters; only `workers/main.ts` calls it. */
export const createModels = (options: Record<Provider, ProviderOptions>): Models => {
  const { anthropic, gemini } = options;
  const configured: Record<Provider, ConfiguredModel> = {
    anthropic: {
      model: createAnthropicModel(anthropic),
      defaultModel: anthropic.defaultModel ?? shipped.coding.name,
      rehearsal: anthropic.rehearsal,
    },
    gemini: {
      model: createGeminiModel(gemini),
      defaultModel: gemini.defaultModel ?? shipped.browser.name,
      rehearsal: gemini.rehearsal,
    },
  };
  return { of: (provider) => configured[provider] };
};
