// What the developer tools look for when they open the folder.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('../', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, here)));
const there = (name) => assert.ok(existsSync(new URL(name, here)), `${name} is missing`);

test('the project opens: its root, its pages and their four files', () => {
  const { miniprogramRoot: root, appid, compileType, setting } = read('project.config.json');
  assert.deepEqual([appid, compileType, setting.urlCheck], ['touristappid', 'miniprogram', false]);
  assert.ok(setting.useCompilerPlugins.includes('typescript'));
  const { pages, sitemapLocation } = read(`${root}app.json`);
  there(`${root}app.ts`);
  there(`${root}app.wxss`);
  there(`${root}${sitemapLocation}`);
  for (const page of pages) {
    for (const kind of ['ts', 'wxml', 'wxss']) there(`${root}${page}.${kind}`);
    assert.equal(read(`${root}${page}.json`).component, true, 'pages are written by Component()');
  }
});

test('构建 npm finds the package, and what is built is what was published', () => {
  const { packNpmManually, packNpmRelationList: [{ packageJsonPath, miniprogramNpmDistDir }] } = read('project.config.json').setting;
  assert.ok(packNpmManually);
  assert.deepEqual(Object.keys(read(packageJsonPath).dependencies), ['suanpan-mp'], 'only dependencies are built');
  const { miniprogram } = read('node_modules/suanpan-mp/package.json');
  for (const file of ['index.js', 'simulator.js']) {
    const [built, published] = [`${miniprogramNpmDistDir}miniprogram_npm/suanpan-mp/${file}`, `node_modules/suanpan-mp/${miniprogram}/${file}`]
      .map((name) => readFileSync(new URL(name, here), 'utf8'));
    assert.equal(built, published);
  }
});
