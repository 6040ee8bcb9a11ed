"""How the page looks: the theme, the style sheet, and the script of the browser.

Reads: page.css and page.js beside this file. Writes: nothing.
Teal on white and white on teal have a contrast of 5.5 (WCAG AA asks for 4.5); where the page is dark, teal text is lighter.
"""

from pathlib import Path

import gradio as gr

_HERE = Path(__file__).parent
TEAL = gr.themes.Color("#f0fdfa", "#ccfbf1", "#99f6e4", "#5eead4", "#0d9488", "#0f766e", "#115e59", "#134e4a", "#134e4a",
                       "#0f3d3a", "#042f2e", name="teal")
_THEME = gr.themes.Base(
    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"], primary_hue=TEAL, neutral_hue="slate",
).set(
    block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300",
    block_title_text_color="*neutral_700", block_title_text_color_dark="*neutral_200",
    block_label_text_color="*neutral_700", block_label_text_color_dark="*neutral_200",
    body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300",
    input_placeholder_color="*neutral_600", input_placeholder_color_dark="*neutral_300",
    button_primary_background_fill="*primary_500", button_primary_background_fill_hover="*primary_600",
    button_primary_background_fill_dark="*primary_500", button_primary_background_fill_hover_dark="*primary_600",
    button_primary_text_color="white", button_primary_text_color_dark="white",
)
LOOKS = {"theme": _THEME, "css_paths": _HERE / "page.css",
         "head": f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>"}
