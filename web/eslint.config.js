import js from '@eslint/js'
import vue from 'eslint-plugin-vue'
import a11y from 'eslint-plugin-vuejs-accessibility'
import globals from 'globals'
import ts from 'typescript-eslint'
import vueParser from 'vue-eslint-parser'

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'test-results/', 'src/api/schema.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...ts.configs.stylistic,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: {
      parser: vueParser,
      parserOptions: { parser: ts.parser, sourceType: 'module', extraFileExtensions: ['.vue'] },
      globals: globals.browser,
    },
  },
  { files: ['src/**/*.ts'], languageOptions: { globals: globals.browser } },
  { files: ['e2e/**', 'scripts/**', '*.config.*'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  { files: ['public/**'], languageOptions: { globals: globals.browser, sourceType: 'script' } },
  {
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      // Titles, synopses and reasons come from outside: always text, never markup.
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/define-props-declaration': ['error', 'type-based'],
      'vue/define-emits-declaration': ['error', 'type-literal'],
      // Line breaks in templates are the author's: these three only move text about.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always' } }],
      'vuejs-accessibility/heading-has-content': ['error', { accessibleChildren: ['TitleText'] }],
      'vuejs-accessibility/anchor-has-content': ['error', { accessibleChildren: ['TitleText', 'slot'] }],
      // A label that wraps its control is correct HTML; asking for `for` as well only adds ids.
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },
  {
    // A toolbar and a panel that listen to keys for the buttons inside them, which hold the focus.
    files: ['src/components/anime/CardActions.vue', 'src/components/anime/PeekPanel.vue'],
    rules: { 'vuejs-accessibility/no-static-element-interactions': 'off' },
  },
  { files: ['e2e/**', 'scripts/**'], rules: { 'no-console': 'off' } },
)
