// The text of the query: CodeMirror 6 in a shadow root.
//
// The shadow root is for the Content-Security-Policy: there CodeMirror's styles go to a constructed style sheet, which
// `style-src 'self'` allows; in the document itself they would be a <style> element, which it refuses.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { completion, looks } from "./completion.js";
import { t } from "./words.js";

const THEME = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--card)", border: "1px solid var(--soft)", borderRadius: ".4rem", minHeight: "13rem", maxHeight: "min(65vh, 34rem)" },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--code)", fontSize: "var(--code-size)", lineHeight: "1.5", overflow: "auto", borderRadius: ".4rem" },
  ".cm-content": { padding: ".6rem 0", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--soft)", border: "0", fontSize: ".9em" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  ".cm-gutter-lint": { width: "1rem" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--warn)" },
  ".cm-content ::selection": { backgroundColor: "color-mix(in srgb, var(--accent) 35%, transparent)" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--soft)", borderRadius: ".4rem", boxShadow: "0 .3rem 1rem rgb(0 0 0 / .18)", maxWidth: "min(34rem, 94vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--code)", fontSize: ".8rem", maxHeight: "15rem", maxWidth: "min(34rem, 94vw)", minWidth: "min(16rem, 90vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".22rem .6rem", lineHeight: "1.35" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--accent-ink)" },
  ".cm-completionLabel": { fontWeight: "600" },
  ".cm-completionDetail": { fontFamily: "var(--ui)", fontStyle: "normal", marginLeft: ".7em", opacity: ".85" },
  ".kind": { float: "right", fontFamily: "var(--ui)", fontSize: ".72rem", marginLeft: "1.2em", opacity: ".75" },
  ".cm-completionInfo": { fontFamily: "var(--ui)", fontSize: ".8rem", padding: ".4rem .6rem", overflowWrap: "anywhere" },
  ".cm-diagnostic": { fontFamily: "var(--ui)", fontSize: ".85rem", padding: ".4rem .6rem", borderLeft: "4px solid var(--warn)", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--accent)" },
  ".cm-lintRange-error, .cm-lintRange-warning": { backgroundImage: "none", paddingBottom: "0", textDecoration: "underline wavy var(--warn) .09em", textUnderlineOffset: ".25em" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--accent)", backgroundColor: "color-mix(in srgb, var(--accent) 14%, transparent)" },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.standard(tags.variableName), color: "var(--code-keyword)" },
  { tag: tags.local(tags.variableName), color: "var(--code-variable)" },
  { tag: tags.atom, color: "var(--code-name)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.meta, color: "var(--code-string)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: tags.operator, color: "var(--soft)" },
]);

// Typing over a selection, done here: Chromium would do it with a style attribute, to keep the look of what was
// replaced, and report that the policy refuses it.
const typingOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || !event.data || empty || view.composing || view.state.selection.ranges.length > 1) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, event.data, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

/**
 * The editor inside `host`. `onRun` and `onCancel` answer Ctrl+Enter and Escape; `onCancel` says whether there was
 * something to cancel. `vocabulary()` promises what can be completed; IRIs that begin with `own` go first.
 */
export function createEditor({ host, text, onRun, onCancel, onChange, vocabulary, own }) {
  const root = host.attachShadow({ mode: "open", delegatesFocus: true });
  const keys = [
    { key: "Mod-Enter", preventDefault: true, run: () => (onRun(), true) },
    { key: "Escape", run: () => onCancel() },
  ];
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([...closeBracketsKeymap, ...completionKeymap]),
        Prec.high(keymap.of(keys.slice(0, 1))),
        keymap.of([...keys.slice(1), ...defaultKeymap, ...historyKeymap]), // Tab is not among them: it leaves the editor
        history(),
        lineNumbers(),
        lintGutter(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        bracketMatching(),
        closeBrackets(),
        indentUnit.of("  "),
        StreamLanguage.define(sparql),
        syntaxHighlighting(COLOURS),
        autocompletion({ override: [completion(vocabulary, own)], icons: false, addToOptions: looks }),
        EditorState.phrases.of({
          Completions: t("Completions"),
          "Control character": t("Control character"),
          "Selection deleted": t("Selection deleted"),
        }),
        EditorView.lineWrapping,
        typingOver,
        EditorView.contentAttributes.of({
          "aria-label": t("SPARQL query"),
          "aria-description": t("Control and Enter run it, Escape cancels, Control and Space complete, Tab leaves the editor."),
          spellcheck: "false",
          autocapitalize: "off",
        }),
        EditorView.updateListener.of((update) => update.docChanged && onChange()),
        THEME,
      ],
    }),
  });

  const spot = (line, column) => {
    const row = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
    const from = Math.min(row.from + [...row.text].slice(0, Math.max(column - 1, 0)).join("").length, row.to);
    return { row, from };
  };
  return {
    view,
    get text() { return view.state.doc.toString(); },
    set text(value) {
      if (value !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value }, selection: { anchor: 0 } });
    },
    focus: () => view.focus(),
    /** Mark the line of an error; engines name the place where they gave up, which is at the fault or shortly after it. */
    markError(line, column, message) {
      const { row } = spot(line, column);
      const from = row.from + row.text.search(/\S|$/);
      view.dispatch(setDiagnostics(view.state, [{ from, to: row.to, severity: "error", message }]));
      view.dispatch({ effects: EditorView.scrollIntoView(from, { y: "center" }) });
    },
    /** Mark parts of the text, each `{from, to, message}`. */
    markParts(parts) {
      view.dispatch(setDiagnostics(view.state, parts.map((part) => ({ ...part, severity: "warning" }))));
    },
    clearMarks: () => view.dispatch(setDiagnostics(view.state, [])),
    /** Put the cursor at a line and column, or at an offset. */
    goTo(line, column = 1) {
      view.dispatch({ selection: { anchor: spot(line, column).from }, scrollIntoView: true });
      view.focus();
    },
    lineOf: (offset) => view.state.doc.lineAt(Math.min(offset, view.state.doc.length)).number,
  };
}
