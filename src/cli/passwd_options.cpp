#include "cli/passwd_options.hpp"

#include <CLI/CLI.hpp>

namespace linnet::cli {

CLI::App* add_passwd_command(CLI::App& app, PasswdOptions& options) {
  CLI::App* command = app.add_subcommand("passwd", "Write and check files of users and passwords");
  command->add_option("FILE", options.file, "The broker's auth.password_file, made where missing")
      ->type_name("")
      ->required();
  command->add_option("USER", options.user, "Whose password it is")->type_name("");
  command->add_option("PASSWORD", options.password, "With --batch; other users can see it")
      ->type_name("");
  command->add_flag("-D,--delete", options.remove, "Take the user out of the file");
  command->add_flag("--check", options.check,
                    "Say whether a password is right; the exit code is 0 or 1");
  command->add_flag("-U,--upgrade", options.upgrade,
                    "Hash the passwords of a file \"user:password\"");
  command->add_flag("-c,--create", options.create, "Start a new file; none may be there");
  command->add_flag("--force", options.force, "With --create: replace a file, with all its users");
  command->add_flag("-b,--batch", options.batch, "Take the password from the command line");
  command->add_flag("--stdin", options.from_stdin,
                    "Take the first line of standard input; so does every pipe");
  command
      ->add_option("--kind", options.kind,
                   "pbkdf2 (the default, which Mosquitto reads, too), argon2id, or scram for "
                   "SCRAM-SHA-256 and plain passwords")
      ->type_name("KIND")
      ->check(CLI::IsMember({"pbkdf2", "argon2id", "scram"}).description(""));
  command
      ->add_option("-I,--iterations", options.iterations,
                   "How costly it is to check or to guess a password; default: 100000, or 2 with "
                   "argon2id")
      ->type_name("N")
      ->check(CLI::Range(1U, 10'000'000U).description(""));
  command->add_flag("--json", options.json, "Print one line of JSON, for scripts");
  command->footer(
      "Examples:\n"
      "  linnet passwd users.txt anna                        asks for the password\n"
      "  pass show mqtt/anna | linnet passwd users.txt anna  takes the first line\n"
      "  linnet passwd --check users.txt anna\n"
      "  linnet passwd -D users.txt anna\n"
      "  linnet passwd --upgrade users.txt                   hashes \"user:password\" lines\n"
      "A password or a name that begins with - comes after --. The file may be a symbolic link: "
      "it\n"
      "stays one, and the file behind it is replaced.");
  return command;
}

}  // namespace linnet::cli
