import { describe, expect, it } from '@jest/globals';
import { createObservations, KEPT_ENTRIES } from '../../../../activities/browser/observations.ts';

const failed = (url: string, navigation = false) => ({ outcome: '404', method: 'GET', url, navigation });

describe('observations', () => {
  it('count what failed for the document it belongs to: its own failure for the new one, late ones for the old', () => {
    const seen = createObservations();
    const tab = {};
    seen.navigationStarted(tab);
    seen.status(tab, 200);
    seen.shown(tab, 'http://site/a');
    seen.failed(tab, failed('http://site/a.png'));
    seen.navigationStarted(tab);
    seen.status(tab, 404);
    seen.failed(tab, failed('http://site/b', true));
    seen.failed(tab, failed('http://site/late.png'));
    expect(seen.visit(tab)).toMatchObject({ url: 'http://site/a', status: 200 });
    expect(seen.visit(tab).failedRequests.kept.map((entry) => entry.url)).toEqual([
      'http://site/a.png',
      'http://site/late.png',
    ]);
    seen.shown(tab, 'http://site/b');
    expect(seen.visit(tab)).toMatchObject({ url: 'http://site/b', status: 404 });
    expect(seen.visit(tab).failedRequests.kept).toEqual([
      { page: 'http://site/b', outcome: '404', method: 'GET', url: 'http://site/b' },
    ]);
    expect(seen.findings.pages.kept).toEqual([
      { url: 'http://site/a', status: 200 },
      { url: 'http://site/b', status: 404 },
    ]);
    expect(seen.findings.failedRequests.kept).toHaveLength(3);
  });

  it('keep the record when only the address changes', () => {
    const seen = createObservations();
    const tab = {};
    seen.navigationStarted(tab);
    seen.shown(tab, 'http://site/');
    seen.consoleError(tab, 'bad', '');
    seen.shown(tab, 'http://site/#part');
    expect(seen.visit(tab).url).toBe('http://site/#part');
    expect(seen.visit(tab).consoleErrors.kept).toEqual([{ page: 'http://site/', text: 'bad', where: '' }]);
    expect(seen.findings.pages.kept).toHaveLength(1);
  });

  it('keep tabs apart', () => {
    const seen = createObservations();
    const [one, two] = [{}, {}];
    seen.consoleError(one, 'bad', '');
    expect(seen.visit(two).consoleErrors.kept).toEqual([]);
    expect(seen.visit(one).consoleErrors.kept).toHaveLength(1);
  });

  it('are bounded, and count what they do not keep', () => {
    const seen = createObservations();
    const tab = {};
    for (let n = 0; n < KEPT_ENTRIES + 50; n += 1) {
      seen.consoleError(tab, 'x'.repeat(10_000), '');
      seen.failed(tab, failed(`http://site/${'y'.repeat(10_000)}`));
      seen.navigationStarted({});
      seen.shown(tab, 'http://site/');
    }
    for (const list of [seen.visit(tab).consoleErrors, seen.findings.consoleErrors, seen.findings.failedRequests]) {
      expect([list.kept.length, list.lost]).toEqual([KEPT_ENTRIES, 50]);
    }
    expect(JSON.stringify(seen.findings).length).toBeLessThan(200_000);
  });
});
