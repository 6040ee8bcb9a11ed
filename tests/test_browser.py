"""The pages in a real browser: a photo and a text become a video that plays, mistakes are a line, two visitors wait in turn.

Whether everybody can use them is asked of axe-core (WCAG): no page, in no state, light or dark, has a violation that it calls
serious or critical.

Needs Chromium and its driver; without them these tests are skipped, and say so.
"""

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, portrait
from PIL import Image

from core.artifacts import save
from core.media.audio import write_wav
from core.media.video import write_video
from viewer.page import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its driver: apt install chromium-driver")
Keys = pytest.importorskip("selenium.webdriver").Keys
Stale = pytest.importorskip("selenium.common.exceptions").StaleElementReferenceException
WAIT_S = 90  # a machine that does other things too


def _served(*command):
    """Start a server of ours at a free port, wait for its page; yield the address and the process, and stop it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, *map(str, command), "--port", str(port)], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    address = process.stdout.readline().strip()
    assert address, process.stderr.read()
    yield address, process
    process.terminate()
    process.wait(WAIT_S)
    process.stdout.close()


@pytest.fixture(scope="module")
def photo_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "me.png"
    Image.fromarray(portrait()).save(path)
    return path


@pytest.fixture(scope="module")
def page():
    for address, _ in _served("app.py"):
        yield address


@pytest.fixture
def browser():
    selenium = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1400",
                     "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = selenium.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def wait_for(what, seconds=WAIT_S):
    """Ask `what` until it gives something true; return that."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.1)
    return found


def of(browser, css, ask):
    """What `ask` says of the first element of that kind; of the new one where the page puts another in its place meanwhile."""
    def once():
        for element in browser.find_elements("css selector", css)[:1]:
            with suppress(Stale):
                return (ask(element),)
        return None

    return wait_for(once)[0]


def there(browser, css) -> bool:
    return bool(browser.find_elements("css selector", css))


def text(browser, css) -> str:
    return of(browser, css, lambda element: element.text)


def give_keys(browser, css, *keys):
    of(browser, css, lambda element: element.send_keys(*map(str, keys)))


def click_as_a_hand(browser, css):
    """A real click, as soon as the page lets it be pressed: a click on a greyed button does nothing."""
    wait_for(lambda: of(browser, css, lambda element: element.is_enabled() and element.is_displayed()))
    of(browser, css, lambda element: element.click())


def status(browser) -> str:
    return browser.execute_script("return document.querySelector('#status')?.innerText || ''")


def give(browser, address, photo=None, text=None):
    """Open the page; hand it a photo and a text; nothing is asked for yet."""
    browser.get(address)
    wait_for(lambda: there(browser, "#start"))
    if photo:
        give_keys(browser, "#photo input[type=file]", photo)
        wait_for(lambda: there(browser, "#photo img"))
    if text:
        give_keys(browser, "#text textarea", text)


def click(browser, css):
    press(browser, css, "")


def press(browser, css, text):
    """Click the first element of that kind with that text, as soon as it is not greyed; found and clicked at once."""
    script = ("const is_it = (e) => e.textContent.trim().startsWith(arguments[1]) && !e.disabled;"
              "const found = [...document.querySelectorAll(arguments[0])].find(is_it); found?.click(); return !!found")
    wait_for(lambda: browser.execute_script(script, css, text))


def make_small(browser):
    """Choose the smallest picture."""
    press(browser, "button", "More")
    press(browser, "label", "256 px")


def axe(browser) -> list:
    """What axe-core finds on the page that is serious or critical: (rule, element, what is wrong)."""
    rules = Path(pytest.importorskip("axe_core_python").__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    browser.execute_script(rules)
    browser.execute_script("for (const each of document.getAnimations()) try { each.finish() } catch { }  // endless ones")
    found = browser.execute_async_script("axe.run().then(arguments[0])")
    assert len(found["passes"]) > 5, "it has looked at the page"
    return [(rule["id"], node["html"][:200], node["failureSummary"]) for rule in found["violations"] for node in rule["nodes"]
            if rule["impact"] in ("serious", "critical")]


def make_dark(browser):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})


def background(browser, css="body"):
    """Brightness of an element's background, 0..255."""
    colour = browser.execute_script("return getComputedStyle(document.querySelector(arguments[0])).backgroundColor", css)
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def n_shown(browser, css) -> int:
    """How many elements of that kind are seen; asked again when the page exchanges one between the question and its answer."""
    def once():
        with suppress(Stale):
            return (sum(element.is_displayed() for element in browser.find_elements("css selector", css)),)
        return None

    return wait_for(once)[0]


def shown(browser, css) -> bool:
    return n_shown(browser, css) > 0


def played(browser):
    """The video plays to its end: its duration in seconds."""
    video = "document.querySelector('#video video')"
    wait_for(lambda: browser.execute_script(f"return {video} && {video}.readyState >= 3"))
    browser.execute_script(f"{video}.muted = true; {video}.play()")
    wait_for(lambda: browser.execute_script(f"return {video}.ended"))
    return browser.execute_script(f"return {video}.duration")


def test_an_element_that_is_exchanged_while_it_is_asked_is_asked_again():
    """The page draws itself anew between the question and its answer."""
    class Element:
        def __init__(self, is_gone):
            self.is_gone = is_gone

        def is_displayed(self):
            if self.is_gone:
                raise Stale
            return True

    class Browser:
        def __init__(self):
            self.answers = [[Element(True)], [], [Element(False)]]

        def find_elements(self, _by, _css):
            return self.answers.pop(0)

    assert of(Browser(), "#stop", Element.is_displayed)
    assert n_shown(Browser(), "#stop") == 0, "gone, then not there"
    again = Browser()
    del again.answers[1]
    assert shown(again, "#stop")


def test_a_photo_and_a_text_become_a_video_that_plays(page, browser, photo_path, tmp_path):
    give(browser, page, photo_path, "Good morning.")
    make_small(browser)
    assert not any(shown(browser, css) for css in ("#stop", "#video", "#take", "#zip", "#words", "#files", "#earlier"))
    assert not axe(browser)
    give_keys(browser, "#text textarea", Keys.CONTROL, Keys.ENTER)
    seen = set()
    wait_for(lambda: seen.add(status(browser)) or "Drawing the video" in status(browser))
    assert shown(browser, "#stop") and not axe(browser)
    wait_for(lambda: seen.add(status(browser)) or "Done in" in status(browser))
    wait_for(lambda: shown(browser, "#zip") and not shown(browser, "#stop"))
    assert not shown(browser, "#earlier")
    assert 0.5 < played(browser) < 3
    assert browser.execute_script("return document.querySelector('#video video').videoWidth") == 256
    assert browser.execute_script("return document.querySelector('#words textarea').value") == "Good morning."
    for tab, pictures in (("Voice", ("#sound img", "#emotion img")), ("Face", ("#landmarks img", "#check img"))):
        press(browser, "button[role=tab]", tab)
        for css in pictures:
            width = "return document.querySelector(arguments[0])?.naturalWidth"
            wait_for(lambda css=css, width=width: (browser.execute_script(width, css) or 0) > 99)
    assert not shown(browser, "#files")
    press(browser, "#every-file button", "Every file")
    script = "return [...document.querySelectorAll('#files a[href]')].map((a) => a.href)"
    links = wait_for(lambda: browser.execute_script(script))
    assert {"talking.mp4", "landmarks.npy", "words.srt"} <= {link.rpartition("/")[2] for link in links}
    assert not axe(browser)
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    for button, name in (("#take", "talking.mp4"), ("#zip", "everything.zip")):
        click(browser, button)
        wait_for(lambda name=name: (tmp_path / name).is_file())
    assert "talking/index.html" in zipfile.ZipFile(tmp_path / "everything.zip").namelist()
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url.split("/")[2] for url in asked if url.startswith(("http", "ws"))} == {page.split("/")[2]}


def test_a_mistake_is_one_line_and_the_server_lives_on(page, browser, photo_path, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    with open(huge := tmp_path / "huge.png", "wb") as file:
        file.truncate(2 * 10**9)
    give(browser, page, text="Hi.")
    give_keys(browser, "#photo input[type=file]", huge)
    wait_for(lambda: "maximum allowed size" in status(browser))
    assert not shown(browser, "[data-testid=toast-body]"), "errors stand in one place"
    click(browser, "#start")
    wait_for(lambda: "No video yet. The photo: none chosen. Needed: a picture of a face." in status(browser))
    wait_for(lambda: not shown(browser, "#stop"))
    assert not axe(browser)
    give_keys(browser, "#photo input[type=file]", tmp_path / "text.png")
    wait_for(lambda: there(browser, "#photo img"))
    click(browser, "#start")
    wait_for(lambda: "No video yet. text.png: not a picture" in status(browser))
    assert len(browser.find_elements("css selector", "#status [role=alert]")) == 1
    for button in ("#start", "#hear"):
        give(browser, page, photo_path, "ᚠᚢᚦᚨᚱᚲ")
        click(browser, button)
        wait_for(lambda: "Runic letters" in status(browser))


def test_two_visitors_wait_in_turn_and_one_can_stop(page, browser, photo_path):
    give(browser, page, photo_path, "One two three four five six seven eight nine ten. " * 20)
    first = browser.current_window_handle
    click(browser, "#start")
    wait_for(lambda: "Step" in status(browser))
    browser.switch_to.new_window("tab")
    give(browser, page, photo_path, "Hi.")
    make_small(browser)
    click(browser, "#start")
    wait_for(lambda: re.search(r"queue: *1/1", browser.execute_script("return document.body.innerText")))
    second = browser.current_window_handle
    browser.switch_to.window(first)
    click(browser, "#stop")
    wait_for(lambda: "appears here" in status(browser))
    browser.switch_to.window(second)
    wait_for(lambda: "Done in" in status(browser))
    assert played(browser) < 3


def test_on_a_phone_nothing_sticks_out(page, browser, photo_path):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
    give(browser, page, photo_path, "Hi.")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert of(browser, "#start", lambda button: button.size["width"]) > 200
    assert shown(browser, "#examples-label") and text(browser, "#examples-label") == "Examples"
    voice = wait_for(lambda: browser.execute_script(
        "const v = document.querySelector('#voice input'); return v && v.value && [v.scrollWidth, v.clientWidth]"))
    assert voice[0] <= voice[1], "the voice's name is not cut off"
    click(browser, "#start")
    top = "return document.querySelector('#status').getBoundingClientRect().top"
    wait_for(lambda: 0 <= browser.execute_script(top) < 844)
    wait_for(lambda: "Done in" in status(browser))
    wait_for(lambda: 0 <= browser.execute_script(top) < 100)


def test_examples_fill_in_the_page_and_earlier_videos_are_kept(page, browser):
    browser.get(page)
    press(browser, ".example", "Recording")
    wait_for(lambda: there(browser, "#photo img") and shown(browser, "#speech [aria-label=Play]"))
    assert not there(browser, "[aria-label*=hare]"), "a recording is shared with no other server"
    assert not shown(browser, "#text") and not axe(browser)
    press(browser, ".example", "Comic")
    wait_for(lambda: shown(browser, "#text") and not shown(browser, "#speech"))
    make_small(browser)
    assert browser.execute_script("return document.querySelector('#more input[type=radio][value=comic]').checked")
    for n_earlier in (0, 1):
        wait_for(lambda: of(browser, "#text textarea", lambda area: area.get_attribute("value")))
        click(browser, "#start")
        wait_for(lambda: shown(browser, "#stop") and not shown(browser, "#zip"))
        wait_for(lambda: shown(browser, "#zip") and not shown(browser, "#stop"))
        assert len(browser.find_elements("css selector", "#earlier .thumbnail-item video")) == n_earlier
    assert not axe(browser)


def bottom_of(browser, css):
    wait_for(lambda: browser.execute_script("return document.querySelector(arguments[0]) !== null", css))
    return browser.execute_script("return document.querySelector(arguments[0]).getBoundingClientRect().bottom", css)


def test_what_makes_the_video_is_always_in_sight(page, browser):
    """On a small laptop, whatever is open above it; and nothing lies over it."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 757, "deviceScaleFactor": 1,
                                                                   "mobile": False})
    give(browser, page)
    assert bottom_of(browser, "#more") < 757
    over = ("const box = document.querySelector('#start').getBoundingClientRect(); "
            "return document.elementFromPoint(box.x + 20, box.bottom - 2).id")
    for open_more in (lambda: None, lambda: press(browser, ".example", "Text"), lambda: press(browser, "button", "More")):
        open_more()
        wait_for(lambda: browser.execute_script(over) == "start")
        assert bottom_of(browser, "#start") <= 757
    wait_for(lambda: browser.execute_script("return document.documentElement.scrollHeight") > 1000)
    assert bottom_of(browser, "#start") <= 757


def test_several_faces_are_offered_a_dialogue(page, browser, photo_path, tmp_path):
    both = np.concatenate([portrait(), portrait()[:, ::-1]], 1)
    Image.fromarray(both).save(us := tmp_path / "us.png")
    give(browser, page, photo_path)
    time.sleep(1)
    assert not shown(browser, "#source input[value='A dialogue']"), "one face has nobody to talk to"
    give(browser, page, us)
    press(browser, "#source label", "A dialogue")
    wait_for(lambda: n_shown(browser, ".face img") == 2)
    wait_for(lambda: not shown(browser, "#voice"))
    assert not axe(browser)
    press(browser, "#picture label", "A video")
    wait_for(lambda: shown(browser, "#voice") and not shown(browser, ".face") and shown(browser, "#clip"))
    assert not shown(browser, "#source input[value='A dialogue']") and not axe(browser)


def test_the_example_of_a_dialogue_becomes_a_video(page, browser):
    browser.get(page)
    press(browser, ".example", "Dialogue")
    wait_for(lambda: len(browser.find_elements("css selector", ".face img")) == 2)
    make_small(browser)
    click(browser, "#start")
    wait_for(lambda: "Done in" in status(browser))
    assert 5 < played(browser) < 20
    assert not axe(browser)


def test_a_video_gets_a_new_voice(page, browser, tmp_path):
    write_video(clip := tmp_path / "clip.mp4", [portrait()] * 25)
    browser.get(page)
    press(browser, "#picture label", "A video")
    wait_for(lambda: shown(browser, "#clip"))
    give_keys(browser, "#clip input[type=file]", clip)
    wait_for(lambda: there(browser, "#clip video"))
    give_keys(browser, "#text textarea", "Mama.")
    assert not axe(browser)
    click(browser, "#start")
    wait_for(lambda: "Done in" in status(browser))
    assert 0.3 < played(browser) < 3


def test_a_voice_can_be_heard_before(page, browser):
    give(browser, page, text="Good morning.")
    assert not shown(browser, "#sample")
    click(browser, "#hear")
    wait_for(lambda: shown(browser, "#sample [aria-label=Play], #sample [aria-label=Pause]"))
    assert not axe(browser)


def test_in_the_dark_and_by_keyboard(page, browser):
    make_dark(browser)
    give(browser, page)
    assert background(browser) < 64
    assert not axe(browser)
    press(browser, ".example", "Recording")
    wait_for(lambda: shown(browser, "#speech [aria-label=Play]"))
    press(browser, "button", "More")
    assert not axe(browser)
    browser.execute_script("document.querySelector('.example').focus()")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    focused = "const style = getComputedStyle(document.activeElement); return style.outlineStyle + style.outlineWidth"
    assert browser.execute_script(focused) == "solid3px"


def test_the_page_of_every_file(browser, tmp_path):
    """The page that `--keep` writes, light and dark."""
    speech = write_wav(tmp_path / "kept" / "speech.wav", np.sin(np.arange(16_000) / 20).astype(np.float32))
    save(tmp_path / "kept" / "head.npy", np.zeros((25, 5), np.float32), "head-motion", stage="test")
    Image.fromarray(portrait()).save(tmp_path / "kept" / "photo.png")
    write_video(tmp_path / "me.mp4", [portrait()] * 25, speech=speech)
    path = write_page(tmp_path / "kept", tmp_path / "me.mp4")
    browser.get(path.as_uri())
    assert background(browser) > 250 and not axe(browser)
    make_dark(browser)
    browser.get(path.as_uri())
    assert background(browser) < 64 and not axe(browser)


def _status_of(request) -> int:
    try:
        return urllib.request.urlopen(request, timeout=WAIT_S).status
    except urllib.error.HTTPError as error:
        return error.code


def test_no_file_of_the_server_can_be_read_and_no_upload_is_too_large_for_it(page):
    for path in ("/etc/passwd", str(ROOT / "app.py"), "app.py", "../../../../etc/passwd", "https://example.com/"):
        for route in ("file=", "gradio_api/file="):
            assert _status_of(f"{page}{route}{path}") in (403, 404), path
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = head + b"\0" * 51 * 2**20 + b"\r\n--x--\r\n"
    upload = urllib.request.Request(f"{page}gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert _status_of(upload) == 413
    assert _status_of(page) == 200


@pytest.fixture(scope="module")
def live(photo_path):
    for address, process in _served("-m", "web.live", "--photo", photo_path, "--size", 128):
        os.set_blocking(process.stderr.fileno(), False)
        yield address, process.stderr


def test_the_face_is_there_before_the_script_has_drawn_it(live, browser):
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*live.js*"]})
    browser.get(live[0])
    place = of(browser, "canvas", lambda canvas: canvas.rect)
    whole = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    left, top, right, bottom = (round(place[name]) for name in ("x", "y", "width", "height"))
    assert np.asarray(whole.crop((left, top, left + right, top + bottom))).std() > 20, "a photo, not an empty page"


def test_a_face_speaks_along(live, browser):
    """With the recording, then with Chromium's stand-in for a microphone; the picture changes, the figures are said twice.

    Clicks are real ones: a browser plays no sound that nobody asked for.
    """
    address, log = live
    browser.get(address)
    pixels = "const c = document.querySelector('canvas'); return c.toDataURL()"
    still = wait_for(lambda: browser.execute_script("return document.querySelector('canvas').width == 128") and
                     browser.execute_script(pixels))
    for button in ("recording", "microphone"):
        click_as_a_hand(browser, f"#{button}")
        found = wait_for(lambda: re.match(r"(\d+) frames/s · ready (\d+) ms", text(browser, "#figures")))
        assert int(found[1]) > 0 and int(found[2]) > 150, "no sooner than the look-ahead"
        assert browser.execute_script(pixels) != still
        click_as_a_hand(browser, "#stop")
        browser.execute_script("document.querySelector('#figures').textContent = ''")
    assert re.search(r"live: \d+\.\d frames/s, \d+ ms behind the sound", log.read())


def test_one_page_speaks_and_others_watch(live, browser):
    """And what was said can be downloaded; then another photo is chosen, and a wrong one is told of."""
    address, _ = live
    pixels = "return document.querySelector('canvas').toDataURL()"
    browser.get(address)
    click_as_a_hand(browser, "#record")
    click_as_a_hand(browser, "#recording")
    wait_for(lambda: "frames/s" in text(browser, "#figures"))
    level = "return document.querySelector('#level').value"
    assert wait_for(lambda: browser.execute_script(level) > -40) and not axe(browser)
    browser.switch_to.new_window("tab")
    browser.get(address)
    wait_for(lambda: "Somebody else speaks" in text(browser, "#said"))
    assert not any(of(browser, css, lambda button: button.is_enabled()) for css in ("#microphone", "#choose"))
    before = browser.execute_script(pixels)
    wait_for(lambda: browser.execute_script(pixels) != before)
    assert not axe(browser)
    browser.switch_to.window(browser.window_handles[0])
    click_as_a_hand(browser, "#stop")
    link = wait_for(lambda: shown(browser, "#download") and of(browser, "#download", lambda link: link.get_attribute("href")))
    assert urllib.request.urlopen(link).read()[4:8] == b"ftyp"
    browser.switch_to.window(browser.window_handles[1])
    wait_for(lambda: of(browser, "#choose", lambda button: button.is_enabled()))
    give_keys(browser, "#choose", ROOT / "README.md")
    wait_for(lambda: "not a picture" in text(browser, "#said"))
    assert not axe(browser)
    make_dark(browser)
    browser.refresh()
    assert background(browser) < 64 and not shown(browser, "#stop") and not axe(browser)


def test_the_pages_lead_to_each_other(page, live, browser):
    for address, link in ((page, "a[href=live]"), (live[0], "a[href=page]")):
        browser.get(address)
        click(browser, link)
        wait_for(lambda: "is not running" in text(browser, "main"))
        assert not axe(browser)
